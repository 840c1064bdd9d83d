"""Removes trees that somebody else filled: no link is followed, forbidding modes of one's own directories lifted."""

import os
import stat
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEPEST = 100  # each level costs a descriptor; what lies deeper is lifted up first


def remove_tree(path: Path) -> None:
    """Remove a file, link or directory with all below it; nothing there is fine. Raises OSError."""
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        remove_entry(path.name, parent)
    finally:
        os.close(parent)


def remove_entry(name: str, parent: int) -> None:
    """Remove `name` in the directory that descriptor `parent` stands for, with all below it."""
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            return
        directory = _open(name, parent)
    except FileNotFoundError:
        return
    try:
        while children := os.listdir(directory):  # noqa: PTH208  again: what lay too deep was lifted
            for child in children:
                _remove(child, directory, directory, 1)
    finally:
        os.close(directory)
    _rmdir(name, parent)


def _remove(name: str, parent: int, top: int, depth: int) -> None:
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            return
        directory = _open(name, parent)
    except FileNotFoundError:
        return
    try:
        if depth >= _DEEPEST:
            os.rename(name, f".lifted-{os.fstat(directory).st_ino}", src_dir_fd=parent, dst_dir_fd=top)
            return
        for child in os.listdir(directory):  # noqa: PTH208  a descriptor
            _remove(child, directory, top, depth + 1)
    finally:
        os.close(directory)
    _rmdir(name, parent)


def _open(name: str, parent: int) -> int:
    """The directory, open and with every right its owner can have."""
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
        try:
            Path(f"/proc/self/fd/{place}").chmod(0o700)
        finally:
            os.close(place)
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
    if os.fstat(directory).st_mode & 0o700 != 0o700:
        os.fchmod(directory, 0o700)
    return directory


def _rmdir(name: str, parent: int) -> None:
    try:
        os.rmdir(name, dir_fd=parent)
    except FileNotFoundError:
        pass  # somebody else removes it too
