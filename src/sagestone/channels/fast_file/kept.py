"""Further names of the embedded store's blobs, so that what was listed stays readable as it was."""

import contextlib
import os
from pathlib import Path

from sagestone.s3.client import S3, NoSuchKey, ObjectChanged, S3Failure, SourceObject


class KeptObjects:
    """The objects of a channel by the names of their blobs, in a directory of the instance that no container sees.

    What is overwritten before it could be kept, or is encrypted, is read as from any other store.
    """

    def __init__(self, s3: S3, directory: Path) -> None:
        self._s3 = s3
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def keep(self, found: SourceObject) -> None:
        """Give it a further name, where that can be done."""
        with contextlib.suppress(S3Failure, OSError):
            self._s3.link(found, found.place, self._directory)

    def read_range(self, found: SourceObject, start: int, stop: int) -> bytes:
        """As `S3.read_range`, also of an object that is another one now, or gone, but was kept."""
        try:
            return self._s3.read_range(found, start, stop)
        except (ObjectChanged, NoSuchKey) as gone:
            try:
                file = os.open(found.place, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._directory)
            except OSError:
                raise gone from None
        try:
            return os.pread(file, stop - start, start)
        finally:
            os.close(file)
