"""A blob that is encrypted while it is written; it is used as a plain one is."""

import hashlib
from collections.abc import Iterator
from types import TracebackType

from sagestone.s3.storage.blobs import NewBlob
from sagestone.s3.storage.encryption import Sealing
from sagestone.s3.storage.segments import SealedBytes, SegmentSealer


class SealedBlob:
    """One segment in a blob of its own. `size` is that of the plaintext.

    `md5` is that of the plaintext for AES256, as S3 has it; under a KMS key that of what lies on disk, which says
    nothing of the plaintext and is another one whenever the same is written.
    """

    def __init__(self, blob: NewBlob, sealing: Sealing) -> None:
        self.size = 0
        self._blob = blob
        self._sealing = sealing
        self._sealer = SegmentSealer(sealing.data_key)
        self._md5 = hashlib.md5(usedforsecurity=False) if sealing.encryption.algorithm == "AES256" else None
        self._whole = False

    @property
    def name(self) -> str:
        return self._blob.name

    @property
    def md5(self) -> bytes:
        self._finish()
        return self._blob.md5 if self._md5 is None else self._md5.digest()

    def write(self, data: bytes | memoryview) -> None:
        """Append the data, sealed."""
        view = memoryview(data).cast("B")
        if self._md5 is not None:
            self._md5.update(view)
        for sealed in self._sealer.feed(view):
            self._blob.write(sealed)
        self.size += len(view)

    def pieces(self) -> Iterator[bytes]:
        """The plaintext; nothing may be written after that."""
        self._finish()
        return SealedBytes(self._blob.descriptor, self._sealing.data_key, (self.size,)).pieces(0, self.size)

    def sync_ahead(self) -> None:
        """Have the disk begin with what was written."""
        self._blob.sync_ahead()

    def sync(self) -> None:
        """Make the blob durable; nothing may be written after that."""
        self._finish()
        self._blob.sync()

    def keep(self) -> None:
        """A row names this blob now."""
        self._blob.keep()

    def close(self) -> None:
        """Unlink the blob unless it is kept, and let go of it; idempotent."""
        self._blob.close()

    def __enter__(self) -> "SealedBlob":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _finish(self) -> None:
        if not self._whole:
            self._blob.write(self._sealer.finish())
            self._whole = True
