"""A FIFO that a program in a container reads: made, and opened when somebody reads it.

The container may do what it likes to the directory, so a FIFO is known by a descriptor from the moment it is made, and
the directory by one that was opened before the container started; a name is never followed again.
"""

import os
import stat
import threading
from pathlib import Path

from sagestone.channels.pipe_end import PipeEnd, enlarge


class NotAFifo(Exception):
    """Something else lies where the FIFO belongs."""


class Fifo:
    """A named pipe in an open directory; an existing one is taken as it is. Raises NotAFifo.

    Used by one thread; `wake` may be called from any.
    """

    def __init__(self, directory: int, name: str) -> None:
        self._directory, self.name = directory, name
        self._lock = threading.Lock()  # else `wake` might open what got the number of a FIFO that is gone
        try:
            os.mkfifo(name, 0o644, dir_fd=directory)
        except FileExistsError:
            pass
        self._place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        if not stat.S_ISFIFO(os.fstat(self._place).st_mode):
            os.close(self._place)
            raise NotAFifo(name)

    def open(self) -> PipeEnd:
        """Wait until somebody opens it for reading; the end to write to. `wake` ends the wait too."""
        descriptor = os.open(f"/proc/self/fd/{self._place}", os.O_WRONLY | os.O_CLOEXEC)
        enlarge(descriptor)
        return PipeEnd(descriptor)

    def wake(self) -> None:
        """End the wait of a thread that is in `open`; nothing where it was removed meanwhile."""
        with self._lock:
            if self._place >= 0:
                os.close(os.open(f"/proc/self/fd/{self._place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))

    def remove(self) -> None:
        """Take its name away; those who have it open go on. Idempotent."""
        with self._lock:
            if self._place < 0:
                return
            try:
                os.unlink(self.name, dir_fd=self._directory)
            except FileNotFoundError:
                pass
            place, self._place = self._place, -1
            os.close(place)


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
