"""Makes files, directories and links below one directory, name by name, without ever following a link."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.remove import remove_entry

_DEEPEST = 200  # directories within directories
_MOST_HOPS = 40  # links in one name, as Linux has it
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

    def resolve(self, parts: Parts, member: str) -> Parts:
        """The real place of a directory, links followed as if this tree were the whole file system."""
        if self._cached and self._cached[0] == parts:
            return parts
        done: list[str] = []
        left = list(reversed(parts))
        hops = 0
        while left:
            part = left.pop()
            if part == "..":
                done = done[:-1]
                continue
            try:
                link = os.readlink(part, dir_fd=self._existing(tuple(done)))
            except OSError:  # no link, or nothing there yet
                done.append(part)
                continue
            hops += 1
            if hops > _MOST_HOPS:
                raise UnsafeArchive(member, "leads through too many links")
            if link.startswith("/"):
                done = []
            left += reversed([each for each in link.split("/") if each not in ("", ".")])
        return tuple(done)

    def is_directory(self, parts: Parts, member: str) -> bool:
        """Whether a real directory stands there."""
        try:
            self._existing(parts)
        except OSError:
            return False
        return True

    def delete(self, parts: Parts, member: str) -> None:
        """Remove what stands there, a directory with all that is in it; nothing there is fine."""
        if not parts:
            raise UnsafeArchive(member, "names the root")
        try:
            parent = self._existing(parts[:-1])
        except OSError:
            return
        try:
            os.unlink(parts[-1], dir_fd=parent)
        except FileNotFoundError:
            return
        except IsADirectoryError:
            remove_entry(parts[-1], parent)

    def hard_link(self, source: Parts, parts: Parts, member: str) -> None:
        """A second name for a file of this tree."""
        to_parent = os.dup(self.directory(parts[:-1], member))
        try:
            os.link(
                source[-1],
                parts[-1],
                src_dir_fd=self._existing(source[:-1]),
                dst_dir_fd=to_parent,
                follow_symlinks=False,
            )
        except OSError as error:
            raise UnsafeArchive(member, f"is a hard link that cannot be made: {error.strerror}") from error
        finally:
            os.close(to_parent)

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

    def _existing(self, parts: Parts) -> int:
        """As `directory`, but nothing is made and OSError is raised."""
        if not parts:
            return self._root
        if self._cached and self._cached[0] == parts:
            return self._cached[1]
        here = os.dup(self._root)
        for part in parts:
            try:
                below = os.open(part, _DIRECTORY, dir_fd=here)
            finally:
                os.close(here)
            here = below
        self._forget()
        self._cached = (parts, here)
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
