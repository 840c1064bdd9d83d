"""What has to be on disk before it is relied on."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final

_SYNC_FILE_RANGE_WRITE: Final = 2  # of Linux: begin to write what is dirty, and do not wait for it


@contextmanager
def whole_file(path: Path, *, new: bool = False) -> Iterator[IO[bytes]]:
    """A file to write to, its owner's alone, that is called `path` at the end: whole and on disk, or not at all.

    What had that name is replaced; those who may write it take turns. With `new` nothing is replaced: of several who
    write at once the first wins, the others get FileExistsError, at the latest when they have written.
    """
    descriptor, name = _open_new(path) if new else _open_fresh(path)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if new:
            _link(beside, path)
        else:
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable: those that were made, renamed or taken away."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_whole(descriptor: int, data: bytes, *, sync: bool = True) -> None:
    """All of it at the end of a file, or nothing: of what finds no room, no part stays. Raises OSError."""
    rest, size = memoryview(data), os.fstat(descriptor).st_size
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)
    except OSError:  # what is written next must not hang on to half a line
        os.ftruncate(descriptor, size)
        raise


def cut_half_line(descriptor: int) -> None:
    """Take away what a writer that died left of a line at the end of a file."""
    end = size = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)


def start_writing(descriptor: int, start: int, size: int) -> None:
    """Have the kernel begin to bring these bytes of a file to the disk, so that a later fsync has less to wait for.

    It promises nothing, and does nothing where the system has no such call (it is Linux's own).
    """
    begin = _sync_file_range()
    if begin is not None:
        begin(descriptor, start, size, _SYNC_FILE_RANGE_WRITE)


def _open_fresh(path: Path) -> tuple[int, str]:
    """Always by one name: what a writer leaves who dies, the next one writes over."""
    name = f"{path}.new"
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), name


def _open_new(path: Path) -> tuple[int, str]:
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")  # 0600


def _link(beside: Path, path: Path) -> None:
    try:
        os.link(beside, path)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
    except OSError:  # a file system without further names: nothing keeps two from the same name at once
        beside.rename(path)


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    import ctypes  # not at the start: few write so much

    found = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if found is not None:
        found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return found
