"""The end of a FIFO that is written to: few calls of the kernel, and few wake-ups of the reader, for many small pieces.

What the kernel moves (`splice`) is not copied by us. Moved straight into the FIFO each small file would wake the
reader: for objects of 10 KiB a third of all time. So they are gathered in a pipe of our own, which nobody waits at, and
moved on together.
"""

import fcntl
import os
from collections.abc import Callable
from typing import Final

CAPACITY: Final = 1024 * 1024  # what a plain user may ask for; the kernel's own 64 KiB halve the speed
_BATCH: Final = 512 * 1024  # small pieces are written together
_MOST_PIECES: Final = 512  # of one writev; the kernel takes 1024
_GATHERED_BELOW: Final = 128 * 1024  # bytes of a file: larger ones go straight into the FIFO
_F_SETPIPE_SZ: Final = 1031


class ReaderGone(Exception):
    """Nobody reads any more."""


def enlarge(pipe: int) -> None:
    """Let a pipe hold as much as we may ask for."""
    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, CAPACITY)
    except PermissionError:
        pass  # this user has too much memory in pipes already: slower, not wrong


class PipeEnd:
    """The end to write to; all but `close` raise ReaderGone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: list[bytes] = []  # not written yet: they come after what is gathered
        self._waiting = 0
        self._gathered = 0  # bytes in our own pipe
        self._out, self._in = -1, -1  # the ends of it, made when it is needed

    def write(self, data: bytes) -> None:
        """Write the bytes, small ones together with the next; `flush` does not let them wait."""
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _BATCH or len(self._pieces) >= _MOST_PIECES:
            self.flush()

    def splice(self, file: int, start: int, stop: int) -> None:
        """Have the kernel move a file's bytes, from `start` to before `stop`; raises EOFError when it is shorter.

        Small ones are moved together with the next, as with `write`.
        """
        if stop - start >= _GATHERED_BELOW:
            self.flush()
            while start < stop:
                try:
                    moved = os.splice(file, self._descriptor, stop - start, start)
                except BrokenPipeError as error:
                    raise ReaderGone from error
                if moved == 0:
                    raise EOFError
                start += moved
            return
        if self._in < 0:
            self._make_pipe()
        if self._pieces:
            self._gather_pieces()
        while start < stop:
            try:
                moved = os.splice(file, self._in, stop - start, start)
            except BlockingIOError:  # it is full
                self._pass_on()
                continue
            if moved == 0:
                raise EOFError
            start += moved
            self._gathered += moved

    def pour(self, into: Callable[[int], None]) -> None:
        """Have something move itself into the pipe."""
        self.flush()
        try:
            into(self._descriptor)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def flush(self) -> None:
        """Write what waits."""
        self._pass_on()
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        while pieces:
            try:
                written = os.writev(self._descriptor, pieces)
            except BrokenPipeError as error:
                raise ReaderGone from error
            for index, piece in enumerate(pieces):
                if written < len(piece):
                    pieces = [memoryview(piece)[written:], *pieces[index + 1 :]]  # type: ignore[list-item]
                    break
                written -= len(piece)
            else:
                return

    def close(self) -> None:
        """The end of the data, for whoever reads; idempotent."""
        for descriptor in (self._out, self._in, self._descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._out = self._in = self._descriptor = -1

    def _make_pipe(self) -> None:
        self._out, self._in = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._in, False)  # the end to write to alone: what is moved on waits for room
        enlarge(self._in)

    def _gather_pieces(self) -> None:
        rest: bytes | memoryview = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        while True:
            try:
                written = os.write(self._in, rest)
            except BlockingIOError:
                self._pass_on()
                continue
            self._gathered += written
            if written == len(rest):
                return
            rest = memoryview(rest)[written:]

    def _pass_on(self) -> None:
        """Move what is gathered into the FIFO."""
        try:
            while self._gathered:
                self._gathered -= os.splice(self._out, self._descriptor, self._gathered)
        except BrokenPipeError as error:
            raise ReaderGone from error
