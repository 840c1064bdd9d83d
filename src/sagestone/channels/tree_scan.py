"""Looks through a directory that a running container writes to: no link is followed, nothing is waited for."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_DEEPEST: Final = 100  # each level costs an open descriptor
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Signature:
    """What changes when a file is written to or put in another's place."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Signature":
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The regular files by their names relative to the root; `left_out` says (by quoted name) why something is none.

    `whole` is False where a directory could not be read: what is missing then may still be there.
    """

    files: dict[str, Signature] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    whole: bool = True


def scan(root: Path, longest_name: int = 1024) -> Scan:
    """What lies below `root` at this moment; what vanishes meanwhile is passed over. A missing root is not whole.

    `longest_name` is in bytes: a longer one would fit no key.
    """
    found = Scan()
    try:
        directory = os.open(root, _DIRECTORY)
    except OSError:
        return Scan(whole=False)
    try:
        whole = _scan_directory(directory, "", 1, found, longest_name)
    finally:
        os.close(directory)
    return Scan(files=found.files, left_out=found.left_out, whole=whole)


def open_directory(root: Path, name: str) -> int:
    """A descriptor of the directory `name` below `root` ("" is the root), reached without following a link."""
    directory = os.open(root, _DIRECTORY)
    for part in name.split("/") if name else ():
        try:
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
        finally:
            os.close(directory)
        directory = inner
    return directory


def _scan_directory(directory: int, prefix: str, depth: int, found: Scan, longest_name: int) -> bool:
    whole = True
    try:
        entries = os.listdir(directory)
    except OSError:
        return False
    for name in entries:
        path = prefix + name
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError:
            whole = False
            continue
        reason = _unfit(path, status, depth, longest_name)
        if reason is not None:
            found.left_out[ascii(path)] = reason
        elif stat.S_ISREG(status.st_mode):
            found.files[path] = Signature.of(status)
        else:
            whole = _enter(name, directory, f"{path}/", depth, found, longest_name) and whole
    return whole


def _enter(name: str, parent: int, prefix: str, depth: int, found: Scan, longest_name: int) -> bool:
    try:
        inner = os.open(name, _DIRECTORY, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):  # it was replaced since the look above: the next scan sees by what
        return True
    except OSError:
        return False
    try:
        return _scan_directory(inner, prefix, depth + 1, found, longest_name)
    finally:
        os.close(inner)


def _unfit(path: str, status: os.stat_result, depth: int, longest_name: int) -> str | None:
    """Why that cannot go to S3; None for regular files and for directories."""
    if stat.S_ISLNK(status.st_mode):
        return "is a link, and S3 has none"
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        return "is a device, socket or pipe"
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "is no UTF-8, as the keys of S3 are"
    if size > longest_name:
        return f"has a path of more than {longest_name} bytes, too long for a key of S3"
    if stat.S_ISDIR(status.st_mode) and depth >= _DEEPEST:
        return f"lies deeper than {_DEEPEST} directories"
    return None
