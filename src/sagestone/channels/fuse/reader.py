"""Reads objects as a program reads files: at any place, and ahead of it where it goes on and on."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from sagestone.s3.client import SourceObject

SMALL = 1024 * 1024  # an object up to this comes whole with its first read
LEAST, MOST = 128 * 1024, 2 * 1024 * 1024  # bytes of one fetch: each is twice the one before
AHEAD = 16 * 1024 * 1024  # of one reader
BUDGET = 48 * 1024 * 1024  # of all readers together; beyond it nothing is read ahead
_ASTRAY = 8 * 1024 * 1024  # how far reads of one program overtake one another: the kernel asks for several at once

#: Gives an object's bytes from `start` to before `stop`; raises what it will.
Fetch = Callable[[SourceObject, int, int], bytes]


class Budget:
    """How many bytes all readers hold, or have asked for."""

    def __init__(self, most: int = BUDGET) -> None:
        self._most, self._lock, self.used = most, threading.Lock(), 0

    def take(self, size: int, *, needed: bool) -> bool:
        """Count them; False when they are not needed now and there is no room for more."""
        with self._lock:
            if not needed and self.used + size > self._most:
                return False
            self.used += size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self.used -= size


@dataclass(slots=True)
class _Piece:
    start: int
    stop: int
    content: "Future[memoryview]"


class ObjectReader:
    """One open file. Reads may come from several threads, and a little out of order."""

    def __init__(self, found: SourceObject, fetch: Fetch, pool: ThreadPoolExecutor, budget: Budget) -> None:
        self._found, self._fetch, self._pool, self._budget = found, fetch, pool, budget
        self._lock = threading.Lock()
        self._pieces: deque[_Piece] = deque()  # one after the other, without gaps
        self._ahead = 0

    def read(self, offset: int, size: int) -> Sequence[memoryview]:
        """The bytes there, fewer at the end of the object; raises what fetching raised."""
        stop = min(offset + size, self._found.size)
        if offset >= stop:
            return ()
        with self._lock:
            inline = self._arrange(offset, stop)
            wanted = [piece for piece in self._pieces if piece.start < stop and piece.stop > offset]
        for piece in inline:
            self._fill(piece)
        return [
            piece.content.result()[max(offset, piece.start) - piece.start : min(stop, piece.stop) - piece.start]
            for piece in wanted
        ]

    def close(self) -> None:
        """Let go of what was read."""
        with self._lock:
            self._drop(self._found.size + 1)

    def _arrange(self, offset: int, stop: int) -> list[_Piece]:
        """Have pieces for these bytes and some after them; those that the caller is to fetch itself."""
        pieces = self._pieces
        astray = min(_ASTRAY, SMALL + 2 * self._ahead)  # who does not read on and on is not believed to have hurried
        if not pieces or not pieces[0].start <= offset <= pieces[-1].stop + astray:
            self._drop(self._found.size + 1)
            self._ahead = 0
            first = self._found.size if self._found.size <= SMALL else max(stop - offset, LEAST)
            start = 0 if self._found.size <= SMALL else offset
            return [self._add(start, min(start + first, self._found.size))]
        self._ahead = min(AHEAD, max(2 * self._ahead, 2 * LEAST))
        self._drop(offset - _ASTRAY)
        inline: list[_Piece] = []
        while (edge := pieces[-1].stop if pieces else offset) < min(stop + self._ahead, self._found.size):
            length = min(MOST, 2 * (pieces[-1].stop - pieces[-1].start) if pieces else LEAST, self._found.size - edge)
            needed = edge < stop
            if not self._budget.take(length, needed=needed):
                break
            piece = self._add(edge, edge + length, counted=True)
            if needed and not inline:
                inline.append(piece)
            else:
                self._pool.submit(self._fill, piece)
        return inline

    def _add(self, start: int, stop: int, *, counted: bool = False) -> _Piece:
        if not counted:
            self._budget.take(stop - start, needed=True)
        piece = _Piece(start, stop, Future())
        self._pieces.append(piece)
        return piece

    def _drop(self, before: int) -> None:
        while self._pieces and self._pieces[0].stop <= before:
            piece = self._pieces.popleft()
            self._budget.give_back(piece.stop - piece.start)

    def _fill(self, piece: _Piece) -> None:
        try:
            piece.content.set_result(memoryview(self._fetch(self._found, piece.start, piece.stop)))
        except BaseException as error:  # noqa: BLE001 handed to whoever reads it
            piece.content.set_exception(error)
