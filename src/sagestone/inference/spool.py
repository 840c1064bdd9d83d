"""Bytes on their way: in memory while they are few, in an unnamed file beyond that."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_PIECE = 256 * 1024


class Spool:
    """Written once from one thread, then read as often as needed, from any thread.

    Up to `in_memory` bytes stay in memory; what grows beyond that lies in a file in `directory` that has no name, so
    nothing is left behind whatever happens to the process.
    """

    __slots__ = ("_directory", "_file", "_in_memory", "_memory", "size")

    def __init__(self, directory: Path, in_memory: int) -> None:
        self._directory, self._in_memory = directory, in_memory
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        if self._file is None and self.size + len(data) > self._in_memory:
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 closed by close
            self._append(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += data
        else:
            self._append(data)
        self.size += len(data)

    def cut(self, size: int) -> None:
        """Forget everything after the first `size` bytes."""
        self.size = min(size, self.size)
        if self._file is None:
            del self._memory[self.size :]
        else:
            self._file.truncate(self.size)
            self._file.seek(self.size)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of at most 256 KiB."""
        while start < self.size:
            if self._file is None:
                with memoryview(self._memory) as memory:
                    piece = bytes(memory[start : start + _PIECE])
            else:
                piece = os.pread(self._file.fileno(), min(_PIECE, self.size - start), start)
            start += len(piece)
            yield piece

    def buffers(self) -> Iterator[bytes | memoryview]:
        """All bytes, what is in memory as it lies there; nothing may be written any more."""
        if self._file is None:
            if self.size:
                yield memoryview(self._memory)
        else:
            yield from self.pieces()

    def head(self, size: int) -> bytes:
        """The first bytes, at most `size` (and at most 256 KiB)."""
        return next(self.pieces(), b"")[:size]

    def another(self) -> "Spool":
        """An empty one in the same place."""
        return Spool(self._directory, self._in_memory)

    def close(self) -> None:
        """Give back memory and file; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._memory = bytearray()
        self.size = 0

    def _append(self, data: bytes | bytearray) -> None:
        assert self._file is not None
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


#: Makes an empty Spool.
NewSpool = Callable[[], Spool]
