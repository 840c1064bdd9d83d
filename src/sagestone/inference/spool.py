"""Bytes on their way: in memory while they are few, in an unnamed file beyond that."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_PIECE = 256 * 1024
_LARGE = 64 * 1024


class Spool:
    """Written once from one thread, then read as often as needed, from any thread.

    Up to `in_memory` bytes stay in memory; what grows beyond that lies in a file in `directory` that has no name, so
    nothing is left behind whatever happens to the process.
    """

    __slots__ = ("_chunks", "_directory", "_file", "_in_memory", "size")

    def __init__(self, directory: Path, in_memory: int) -> None:
        self._directory, self._in_memory = directory, in_memory
        self._chunks: list[bytes | bytearray] = []  # large ones as they were given, small ones gathered
        self._file: BinaryIO | None = None
        self.size = 0

    @property
    def held(self) -> int:
        """Bytes in memory or in a file of its own."""
        return self.size

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        size = len(data)
        if self._file is None and self.size + size > self._in_memory:
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 closed by close
            for chunk in self._chunks:
                self._append(chunk)
            self._chunks = []
        if self._file is not None:
            self._append(data)
        elif size >= _LARGE:
            self._chunks.append(data)
        elif self._chunks and isinstance(last := self._chunks[-1], bytearray) and len(last) < _PIECE:
            last += data
        elif size:
            self._chunks.append(bytearray(data))
        self.size += size

    def cut(self, size: int) -> None:
        """Forget everything after the first `size` bytes."""
        left, self.size = min(size, self.size), min(size, self.size)
        if self._file is not None:
            self._file.truncate(self.size)
            self._file.seek(self.size)
            return
        kept: list[bytes | bytearray] = []
        for chunk in self._chunks:
            if left > 0:
                kept.append(chunk if len(chunk) <= left else chunk[:left])
            left -= len(chunk)
        self._chunks = kept

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of at most 256 KiB or as they were written."""
        if self._file is None:
            for chunk in self._chunks:
                if start < len(chunk):
                    yield bytes(chunk[start:] if start > 0 else chunk)
                start -= len(chunk)
                start = max(0, start)
            return
        while start < self.size and self._file is not None:
            piece = os.pread(self._file.fileno(), min(_PIECE, self.size - start), start)
            start += len(piece)
            yield piece

    def buffers(self) -> Iterator[bytes | memoryview]:
        """All bytes, what is in memory as it lies there; nothing may be written any more."""
        if self._file is not None:
            yield from self.pieces()
        for chunk in self._chunks:
            yield memoryview(chunk)

    def head(self, size: int) -> bytes:
        """The first bytes, at most `size` (and no more than were written at once)."""
        return next(self.pieces(), b"")[:size]

    def another(self) -> "Spool":
        """An empty one in the same place."""
        return Spool(self._directory, self._in_memory)

    def close(self) -> None:
        """Give back memory and file; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._chunks = []
        self.size = 0

    def _append(self, data: bytes | bytearray) -> None:
        assert self._file is not None
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


#: Makes an empty Spool.
NewSpool = Callable[[], Spool]
