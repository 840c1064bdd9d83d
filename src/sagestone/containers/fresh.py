"""Directories that appear by one rename and vanish by another, so that a crash leaves nothing half made in sight."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagestone.archive.remove import remove_tree

_YOUNG_SECONDS = 30  # a directory this new may be made by somebody who has not locked it yet


@contextmanager
def fresh_directory(parent: Path) -> Iterator[Path]:
    """A new directory that is removed unless it was renamed: here at the end, or by a later sweep after a crash."""
    path = parent / f".new-{secrets.token_hex(8)}"
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        if path.exists():
            remove_tree(path)
        os.close(descriptor)


def sweep(parent: Path, *, young_seconds: float = _YOUNG_SECONDS) -> None:
    """Remove what a crash left half made or half removed, unless somebody is at it, or may be: it is too young."""
    for path in [*parent.glob(".new-*"), *parent.glob(".gone-*")]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            age = time.time() - os.fstat(descriptor).st_ctime
            if path.name.startswith(".gone-") or age > young_seconds:
                remove_tree(path)
        except BlockingIOError:
            continue  # somebody is at it
        finally:
            os.close(descriptor)
