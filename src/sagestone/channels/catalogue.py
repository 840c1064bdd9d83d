"""A list of lines on disk, read in any order: what a channel streams, fixed when the job starts.

Only where each line begins is held in memory, 8 bytes a line, however long the list and its lines are. It outlives the
agent, so that another one finds the same list.
"""

import os
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_BLOCK = 256 * 1024
_LINES = 256  # of a block
_NEIGHBOURS = 64 * 1024  # read at once where lines are read as they stand


class Catalogue:
    """The lines of a file; may be read from several threads, also while another closes it: reads then raise ValueError.

    A thread that reads ahead of a program is not waited for when the channel ends.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._lock = threading.Lock()  # else the number might be another file's by the time it is read from
        self._begins = array("Q", [0])
        place = 0
        while block := os.read(self._file, _BLOCK):
            found = block.find(b"\n")
            while found >= 0:
                self._begins.append(place + found + 1)
                found = block.find(b"\n", found + 1)
            place += len(block)

    @staticmethod
    def write(path: Path, lines: Iterable[bytes]) -> "Catalogue":
        """Write a file of these lines, none of which has a line break in it, and open it."""
        with path.open("wb", buffering=_BLOCK) as file:
            for line in lines:
                file.write(line)
                file.write(b"\n")
        return Catalogue(path)

    def __len__(self) -> int:
        return len(self._begins) - 1

    def lines(self, order: Sequence[int]) -> Iterator[bytes]:
        """The lines at these places, in this order."""
        block, block_start = b"", 0
        ahead = _NEIGHBOURS if isinstance(order, range) else 0
        for place in order:
            start, stop = self._begins[place], self._begins[place + 1] - 1
            if start < block_start or stop > block_start + len(block):
                block_start = start
                block = self._read(max(stop - start, ahead), start)
            yield block[start - block_start : stop - block_start]

    def blocks(self, order: Sequence[int]) -> Iterator[bytes]:
        """As `lines`, each with its line break, a few hundred at a time: for those who take them apart in one go."""
        for first in range(0, len(order), _LINES):
            places = order[first : first + _LINES]
            if isinstance(places, range) and places.step == 1:  # they stand together
                start = self._begins[places.start]
                yield self._read(self._begins[places.stop] - start, start)
            else:
                yield b"".join(line + b"\n" for line in self.lines(places))

    def close(self) -> None:
        """Let go of the file; no line is read after that. Idempotent."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _read(self, size: int, start: int) -> bytes:
        with self._lock:
            if self._file < 0:
                raise ValueError("the list is closed")
            return os.pread(self._file, size, start)
