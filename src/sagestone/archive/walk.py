"""Reads several directory trees as one, in the order of names, through directory descriptors: no link is followed."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sagestone.archive.errors import PackFailed
from sagestone.archive.links import stays_inside

#: Directories within directories beyond this are left out: each costs an open descriptor.
_DEEPEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Something that was left out, by its name in the archive."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something to be packed. An entry's `descriptor` is open for reading until the next entry is asked for."""

    name: str
    kind: Literal["file", "directory", "symlink"]
    executable: bool = False
    size: int = 0
    link: str = ""
    descriptor: int = -1


@dataclass(frozen=True, slots=True)
class _Found:
    """A name in one of the directories that are read as one."""

    directory: int
    name: str
    status: os.stat_result


def walk(roots: Sequence[Path], dropped: list[Dropped]) -> Iterator[Entry]:
    """The entries below `roots`, parents before children; what is left out is added to `dropped`.

    Raises PackFailed when something cannot be read. A root that does not exist counts as empty, and so does one that
    is no directory: a program may have put a link in its place, which leads anywhere.
    """
    descriptors: list[int] = []
    try:
        for root in roots:
            try:
                descriptors.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise PackFailed(str(root), f"cannot be read: {error.strerror}") from error
                dropped.append(Dropped(path=root.name, reason="is no directory any more"))
        yield from _merge(descriptors, "", 1, dropped)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _merge(directories: Sequence[int], prefix: str, depth: int, dropped: list[Dropped]) -> Iterator[Entry]:
    """The entries of directories that share one name: of clashing entries the last one counts."""
    names: dict[str, tuple[int, ...]] = {}  # where each was found; there may be millions, so no more is kept of them
    for directory in directories:
        alone = (directory,)
        for name in _list(directory, prefix):
            names[name] = names[name] + alone if name in names else alone
    for name in sorted(names, key=os.fsencode):
        path = prefix + name
        found = [_look(directory, name, path) for directory in names[name]]
        if stat.S_ISDIR(found[-1].status.st_mode):
            together = [each for each in found if stat.S_ISDIR(each.status.st_mode)]
            clashing = len(found) - len(together)
            yield from _directory(together, path, depth, dropped)
        else:
            clashing = len(found) - 1
            yield from _leaf(found[-1], path, dropped)
        if clashing:
            dropped.append(Dropped(path=path, reason="is hidden by another one of the same name"))


def _look(directory: int, name: str, path: str) -> _Found:
    try:
        return _Found(directory, name, os.stat(name, dir_fd=directory, follow_symlinks=False))
    except OSError as error:
        raise PackFailed(path, f"cannot be read: {error.strerror}") from error


def _directory(found: Sequence[_Found], path: str, depth: int, dropped: list[Dropped]) -> Iterator[Entry]:
    if depth > _DEEPEST:
        dropped.append(Dropped(path=path, reason=f"lies deeper than {_DEEPEST} directories"))
        return
    descriptors: list[int] = []
    try:
        for each in found:
            descriptors.append(_open(each, path, os.O_DIRECTORY))
        yield Entry(name=path, kind="directory")
        yield from _merge(descriptors, path + "/", depth + 1, dropped)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _leaf(found: _Found, path: str, dropped: list[Dropped]) -> Iterator[Entry]:
    mode = found.status.st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(found.name, dir_fd=found.directory)
        if stays_inside(path, target):
            yield Entry(name=path, kind="symlink", link=target)
        else:
            dropped.append(Dropped(path=path, reason=f"is a link that may lead outside: {target!r}"))
    elif stat.S_ISREG(mode):
        descriptor = _open(found, path, 0)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PackFailed(path, "changed while it was packed")
            executable = bool(status.st_mode & 0o111)
            yield Entry(name=path, kind="file", executable=executable, size=status.st_size, descriptor=descriptor)
        finally:
            os.close(descriptor)
    else:
        dropped.append(Dropped(path=path, reason="is a device, socket or pipe"))


def _list(directory: int, prefix: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        raise PackFailed(prefix or ".", f"cannot be read: {error.strerror}") from error


def _open(found: _Found, path: str, flags: int) -> int:
    try:
        # without O_NONBLOCK a pipe put here since the look above would hold us for ever
        flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(found.name, flags, dir_fd=found.directory)
    except OSError as error:
        raise PackFailed(path, f"cannot be read: {error.strerror}") from error
