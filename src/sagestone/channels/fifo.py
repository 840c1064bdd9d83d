"""A FIFO that a program in a container reads: made, opened when somebody reads it, and filled fast.

The container may do what it likes to the directory, so a FIFO is known by a descriptor from the moment it is made, and
the directory by one that was opened before the container started; a name is never followed again.
"""

import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

CAPACITY: Final = 1024 * 1024  # what a plain user may ask for; the kernel's own 64 KiB halve the speed
_BATCH: Final = 512 * 1024  # small pieces are written together
_MOST_PIECES: Final = 512  # of one writev; the kernel takes 1024
_F_SETPIPE_SZ: Final = 1031


class NotAFifo(Exception):
    """Something else lies where the FIFO belongs."""


class ReaderGone(Exception):
    """Nobody reads any more."""


class Fifo:
    """A named pipe in an open directory; an existing one is taken as it is. Raises NotAFifo."""

    def __init__(self, directory: int, name: str) -> None:
        self._directory, self.name = directory, name
        try:
            os.mkfifo(name, 0o644, dir_fd=directory)
        except FileExistsError:
            pass
        self._place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        if not stat.S_ISFIFO(os.fstat(self._place).st_mode):
            os.close(self._place)
            raise NotAFifo(name)

    def open(self) -> "PipeEnd":
        """Wait until somebody opens it for reading; the end to write to. `wake` ends the wait too."""
        descriptor = os.open(f"/proc/self/fd/{self._place}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, CAPACITY)
        except PermissionError:
            pass  # this user has too much memory in pipes already: slower, not wrong
        return PipeEnd(descriptor)

    def wake(self) -> None:
        """End the wait of a thread that is in `open`; nothing where it was removed meanwhile."""
        try:
            os.close(os.open(f"/proc/self/fd/{self._place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except FileNotFoundError:
            pass

    def remove(self) -> None:
        """Take its name away; those who have it open go on. Idempotent."""
        if self._place < 0:
            return
        try:
            os.unlink(self.name, dir_fd=self._directory)
        except FileNotFoundError:
            pass
        place, self._place = self._place, -1
        os.close(place)


class PipeEnd:
    """The end to write to; all but `close` raise ReaderGone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: list[bytes] = []
        self._waiting = 0

    def write(self, data: bytes) -> None:
        """Write the bytes, small ones together with the next; `flush` does not let them wait."""
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _BATCH or len(self._pieces) >= _MOST_PIECES:
            self.flush()

    def splice(self, file: int, start: int, stop: int) -> None:
        """Have the kernel move a file's bytes, from `start` to before `stop`; raises EOFError when it is shorter."""
        self.flush()
        while start < stop:
            try:
                moved = os.splice(file, self._descriptor, stop - start, offset_src=start)
            except BrokenPipeError as error:
                raise ReaderGone from error
            if moved == 0:
                raise EOFError
            start += moved

    def pour(self, into: Callable[[int], None]) -> None:
        """Have something move itself into the pipe."""
        self.flush()
        try:
            into(self._descriptor)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def flush(self) -> None:
        """Write what waits."""
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
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def open_directory(root: Path, *names: str) -> int:
    """An open directory below `root`, no link followed on the way; raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(root, flags)
    for name in names:
        try:
            below = os.open(name, flags, dir_fd=directory)
        finally:
            os.close(directory)
        directory = below
    return directory
