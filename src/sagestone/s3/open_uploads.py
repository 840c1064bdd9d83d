"""Notes of the multipart uploads that are open: of one whose process was killed the parts would stay for ever."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sagestone.durable import whole_file
from sagestone.s3.uri import S3Uri


class OpenUploads:
    """A directory with a file for each. Used from any thread; of several processes by one at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def note(self, uri: S3Uri, upload_id: str) -> None:
        """It was begun, and has no part yet. On a full disk it goes on without a note."""
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            with whole_file(self._file(upload_id)) as file:
                file.write(msgspec.json.encode((uri.bucket, uri.key, upload_id)))

    def forget(self, upload_id: str) -> None:
        """It is completed or aborted."""
        self._file(upload_id).unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[S3Uri, str]]:
        """Those that are noted now."""
        for path in list(self._directory.glob("*.json")):
            bucket, key, upload_id = msgspec.json.decode(path.read_bytes(), type=tuple[str, str, str])
            yield S3Uri(bucket, key), upload_id

    def _file(self, upload_id: str) -> Path:
        return self._directory / f"{hashlib.sha256(upload_id.encode()).hexdigest()[:32]}.json"
