"""File systems of their own for tests that fill one; only root may mount them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, options: str, *, held: bool = False) -> Iterator[Path]:
    """An empty file system there, with these options of tmpfs (`size=1m,nr_inodes=40`); skips where none can be had.

    Nobody may have a file of it open at the end, unless it is `held`.
    """
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    place.mkdir()
    _mount("-t", "tmpfs", "-o", options, "none", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", *(["--lazy"] if held else []), str(place)], check=True)


def resize(disk: Path, size: str) -> None:
    """Give a small disk another size."""
    _mount("-o", f"remount,size={size}", "none", str(disk))


def _mount(*arguments: str) -> None:
    mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"this machine mounts nothing: {mounted.stderr}")
