"""Request bodies that are parts of files of this machine, read while they are sent."""

import os
from collections.abc import Iterator

#: Read and sent in one go: it is still in the processor's cache then. (The kernel's own way, sendfile, took a quarter
#: longer, because the other side reads what no cache holds, page by page.)
_PIECE = 1024 * 1024


class Buffers:
    """Memory that is used again and again: fresh memory costs more than the bytes that are read into it."""

    def __init__(self) -> None:
        self._free: list[memoryview] = []

    def take(self) -> memoryview:
        """One for a single user; from any thread."""
        try:
            return self._free.pop()
        except IndexError:
            return memoryview(bytearray(_PIECE))

    def give_back(self, buffer: memoryview) -> None:
        self._free.append(buffer)


class ShortFile(Exception):
    """The file ends before the part does: somebody changed it."""


class FileBody:
    """The bytes from `start` to before `stop` of a file, kept open for it until it is closed; from any thread."""

    #: Bytes in memory or in a file of its own.
    held = 0

    def __init__(self, file: int, start: int, stop: int, buffers: Buffers) -> None:
        self._file, self._start, self.size = os.dup(file), start, stop - start
        self._buffers = buffers

    def buffers(self) -> Iterator[memoryview]:
        """All of it, each piece gone when the next one is asked for; raises ShortFile."""
        at, stop = self._start, self._start + self.size
        buffer = self._buffers.take()
        try:
            while at < stop:
                got = os.preadv(self._file, [buffer[: stop - at]], at)
                if not got:
                    raise ShortFile("the file is shorter than it was")
                at += got
                yield buffer[:got]
        finally:
            self._buffers.give_back(buffer)

    def close(self) -> None:
        """Let go of the file; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
