"""The bytes of an object that is open for reading: its blob, or what is sealed in it."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import IO

from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.encryption import Seals
from sagestone.s3.storage.segments import SealedBytes

PIECE = 1024 * 1024


class Content:
    """Stays readable whatever happens to the object. Opening one that is sealed raises Refusal where its key cannot be
    used; what was changed on disk raises OSError where it is read."""

    def __init__(self, file: IO[bytes], found: StoredObject, seals: Seals) -> None:
        self.file = file
        self._sealed: SealedBytes | None = None
        encryption = found.description.encryption
        if encryption is not None:
            try:
                sealing = seals.again(encryption, found.bucket, found.key)
            except BaseException:
                file.close()
                raise
            segments = encryption.segments or (found.size,)
            self._sealed = SealedBytes(file.fileno(), sealing.data_key, segments)

    @property
    def is_plain(self) -> bool:
        """Whether the bytes are those of `file`, in the same places."""
        return self._sealed is None

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        """The bytes from `first` to before `end`, in pieces of at most 1 MiB."""
        if self._sealed is not None:
            yield from self._sealed.pieces(first, end)
            return
        while first < end and (piece := os.pread(self.file.fileno(), min(PIECE, end - first), first)):
            yield piece
            first += len(piece)

    def __enter__(self) -> "Content":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
