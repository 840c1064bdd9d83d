"""Directories that appear by one rename and vanish by another, so that a crash leaves nothing half made in sight."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sagestone.archive.remove import remove_tree


@contextmanager
def fresh_directory(parent: Path) -> Iterator[Path]:
    """A new directory that is removed unless it was renamed: here at the end, or by a later sweep after a crash."""
    path = parent / f".new-{secrets.token_hex(8)}"
    with _locked(parent, fcntl.LOCK_SH):  # as long as it is there and not locked
        path.mkdir(mode=0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        if path.exists():
            remove_tree(path)
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove what a crash left half made or half removed, unless somebody is at it."""
    if not _leavings(parent):
        return
    with ExitStack() as held:
        with _locked(parent, fcntl.LOCK_EX):  # nobody is about to lock one that he has just made
            left = [path for path in _leavings(parent) if _take(path, held)]
        for path in left:
            remove_tree(path)


def _leavings(parent: Path) -> list[Path]:
    return [*parent.glob(".new-*"), *parent.glob(".gone-*")]


def _take(path: Path, held: ExitStack) -> bool:
    """Lock it, as long as `held` is; False where somebody else is at it, or it has gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
