"""The directory of a channel while it is being filled: every path is walked part by part from an open descriptor.

No link is ever followed and no `..` resolved, so that nothing can be made outside, whatever names keys bring.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sagestone.archive.remove import remove_entry

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ChannelDirectory:
    """Used by one thread; paths are those of `channels.paths`: relative, `/` between parts, no `.` or `..`."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._root = os.open(root, _DIRECTORY)
        self._last: tuple[str, int] = ("", self._root)

    def close(self) -> None:
        self._forget()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1
            self._last = ("", -1)

    def parent(self, path: str) -> tuple[int, str]:
        """The open directory that `path` lies in, made where missing, and its last part; open until the next call.

        Raises NotADirectoryError (or another OSError) where a part is something else than a directory.
        """
        above, _, name = path.rpartition("/")
        if above != self._last[0]:
            self._forget()
            if above:
                self._last = (above, self._walk(above))
        return self._last[1], name

    def create(self, path: str) -> int:
        """A new empty file of that path, open; raises FileExistsError and what `parent` raises."""
        directory, name = self.parent(path)
        return os.open(name, _NEW_FILE, 0o644, dir_fd=directory)

    def remove(self, path: str) -> None:
        """Remove what has that path."""
        directory, name = self.parent(path)
        remove_entry(name, directory)

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Path and size of every regular file. What is none, and what the caller removes meanwhile, does no harm."""
        waiting = [""]
        while waiting:
            above = waiting.pop()
            directory = self._walk(above)
            try:
                for name in os.listdir(directory):  # noqa: PTH208  a descriptor
                    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                    path = f"{above}/{name}" if above else name
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(path)
                    else:
                        yield path, status.st_size if stat.S_ISREG(status.st_mode) else -1
            finally:
                os.close(directory)

    def _walk(self, path: str) -> int:
        here = os.dup(self._root)
        for part in path.split("/") if path else ():
            try:
                below = _enter(part, here)
            finally:
                os.close(here)
            here = below
        return here

    def _forget(self) -> None:
        if self._last[1] != self._root:
            os.close(self._last[1])
        self._last = ("", self._root)


def _enter(name: str, parent: int) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=parent)
        return os.open(name, _DIRECTORY, dir_fd=parent)
