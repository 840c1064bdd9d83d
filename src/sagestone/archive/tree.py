"""Makes files, directories and links below one directory, name by name, without ever following a link."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from sagestone.archive.errors import UnsafeArchive

_DEEPEST = 200  # directories within directories
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Parts = tuple[str, ...]


def name_parts(name: str) -> Parts:
    """The components of a member's name; raises UnsafeArchive when it is absolute, climbs or cannot be a name."""
    if name.startswith("/"):
        raise UnsafeArchive(name, "has an absolute name")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise UnsafeArchive(name, 'has ".." in its name')
    if "\0" in name or len(parts) > _DEEPEST or any(len(os.fsencode(part)) > 255 for part in parts):
        raise UnsafeArchive(name, "has a name that no file can have")
    return parts


class Tree:
    """A directory that is being filled. Every operation starts at its descriptor and opens one component at a time."""

    def __init__(self, target: Path) -> None:
        self._root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._cached: tuple[Parts, int] | None = None  # the directory used last

    def close(self) -> None:
        self._forget()
        os.close(self._root)

    def directory(self, parts: Parts, member: str) -> int:
        """A descriptor of that directory, made where it is missing; it stays ours. Raises UnsafeArchive."""
        if not parts:
            return self._root
        if self._cached and self._cached[0] == parts:
            return self._cached[1]
        descriptor = self._walk(parts, member)
        self._forget()
        self._cached = (parts, descriptor)
        return descriptor

    def create(self, parts: Parts, member: str) -> int:
        """A new file's descriptor, for writing; what had the name is replaced, unless it is a directory."""
        parent = self.make_room(parts, member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(parts[-1], flags, 0o600, dir_fd=parent)

    def open_file(self, parts: Parts, member: str) -> int:
        """An existing regular file, for reading; raises UnsafeArchive."""
        try:
            descriptor = os.open(
                parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._existing(parts[:-1])
            )
        except OSError as error:
            raise UnsafeArchive(member, f"is a hard link to something that is not there: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UnsafeArchive(member, "is a hard link to something that is no regular file")
        return descriptor

    def symlink(self, parts: Parts, link: str, member: str) -> int:
        """Make a link; the descriptor of the directory that holds it."""
        parent = self.make_room(parts, member)
        os.symlink(link, parts[-1], dir_fd=parent)
        return parent

    def make_room(self, parts: Parts, member: str) -> int:
        """The parent's descriptor, with nothing of the last name in it; a directory of that name is refused."""
        if not parts:
            raise UnsafeArchive(member, "names the root")
        parent = self.directory(parts[:-1], member)
        try:
            os.unlink(parts[-1], dir_fd=parent)
        except FileNotFoundError:
            pass
        except OSError as error:  # EISDIR on Linux, EPERM elsewhere
            raise UnsafeArchive(member, "has the name of a directory") from error
        return parent

    def _walk(self, parts: Sequence[str], member: str) -> int:
        here = os.dup(self._root)
        for part in parts:
            try:
                below = _enter(here, part)
            except OSError as error:
                raise UnsafeArchive(member, f"leads through {part!r}, which is no directory") from error
            finally:
                os.close(here)
            here = below
        return here

    def _existing(self, parts: Iterable[str]) -> int:
        """As `directory`, but nothing is made and OSError is raised."""
        here = os.dup(self._root)
        for part in parts:
            try:
                below = os.open(part, _DIRECTORY, dir_fd=here)
            finally:
                os.close(here)
            here = below
        self._forget()
        self._cached = (tuple(parts), here)
        return here

    def _forget(self) -> None:
        if self._cached:
            os.close(self._cached[1])
            self._cached = None


def _enter(parent: int, name: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=parent)
        return os.open(name, _DIRECTORY, dir_fd=parent)
