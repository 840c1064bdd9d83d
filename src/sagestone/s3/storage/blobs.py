"""Blob files: the bytes of objects and parts, written once, never changed, unlinked when no row names them.

A blob that is being written is held by a shared `flock` until its row is there. The kernel lets go of the lock when the
writer dies, so whatever is neither named by a row nor held is garbage, whoever wrote it.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

from sagestone.durable import start_writing, sync_directory
from sagestone.s3.storage.file_copy import copy_range
from sagestone.s3.storage.refusal import refusing_when_full

PIECE = 1024 * 1024
_AHEAD = 4 * 1024 * 1024


class NewBlob:
    """A blob being written; leaving the `with` block discards it unless `keep` was called, and lets go of it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.name = path.name
        self.size = 0
        self._path = path
        self._descriptor = descriptor
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._kept = False
        self._sent = 0  # bytes that the kernel was told to bring to the disk

    @property
    def md5(self) -> bytes:
        """Of what was written by `write`."""
        return self._md5.digest()

    def write(self, data: bytes | memoryview) -> None:
        """Append the data and hash it."""
        view = memoryview(data).cast("B")
        self._md5.update(view)
        with refusing_when_full(self._path.parent.parent):
            written = 0
            while written < len(view):
                written += os.write(self._descriptor, view[written:])
        self.size += len(view)

    @property
    def descriptor(self) -> int:
        """The open file, for reading what was written."""
        return self._descriptor

    def append_file(self, source: int, size: int) -> None:
        """Append the first bytes of another file in the kernel, not hashed (the ETag is known otherwise)."""
        with refusing_when_full(self._path.parent.parent):
            copy_range(source, self._descriptor, size)
        self.size += size

    def pieces(self) -> Iterator[bytes]:
        """What was written so far, from the start."""
        offset = 0
        while piece := os.pread(self._descriptor, PIECE, offset):
            yield piece
            offset += len(piece)

    def sync_ahead(self) -> None:
        """Have the disk begin with what was written, where that is worth it: `sync` waits for less then."""
        if self.size - self._sent >= _AHEAD:
            start_writing(self._descriptor, self._sent, self.size - self._sent)
            self._sent = self.size

    def sync(self) -> None:
        """Make bytes and directory entry durable."""
        with refusing_when_full(self._path.parent.parent):
            os.fsync(self._descriptor)
            sync_directory(self._path.parent)

    def keep(self) -> None:
        """A row names this blob now."""
        self._kept = True

    def close(self) -> None:
        """Unlink the blob unless it is kept, and let go of it; idempotent."""
        if self._descriptor < 0:
            return
        if not self._kept:
            self._path.unlink(missing_ok=True)
        descriptor, self._descriptor = self._descriptor, -1  # whoever writes on gets EBADF, not another's file
        os.close(descriptor)

    def __enter__(self) -> "NewBlob":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Blobs:
    """The directory of blobs: `<directory>/xx/<name>`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._text = str(directory)
        self._where = os.fspath(directory)  # pathlib would cost each of a hundred thousand names
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._made: set[Path] = set()

    def path(self, name: str) -> Path:
        return self.directory / name[:2] / name

    def create(self) -> NewBlob:
        """A new empty blob, held until it is closed."""
        while True:
            path = self._new_path()
            with refusing_when_full(self.directory):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                os.fchmod(descriptor, 0o444)  # for whom a further name is shown to; these names are the owner's alone
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if os.fstat(descriptor).st_nlink:  # else a sweep came between creating and holding
                return NewBlob(path, descriptor)
            os.close(descriptor)

    def link(self, name: str) -> NewBlob:
        """A second name for a blob's bytes (or a copy of them), held until it is closed; raises FileNotFoundError."""
        source = os.open(self.path(name), os.O_RDONLY)
        fcntl.flock(source, fcntl.LOCK_SH)
        path = self._new_path()
        size = os.fstat(source).st_size
        try:
            os.link(self.path(name), path)
        except OSError as error:
            try:
                if isinstance(error, FileNotFoundError):
                    raise
                return self._copied(source, size)  # too many links, or a file system without them
            finally:
                os.close(source)
        linked = NewBlob(path, source)
        linked.size = size
        return linked

    def show(self, name: str, as_name: str, directory: int) -> None:
        """Give a blob a further name in an open directory; raises OSError."""
        os.link(f"{self._where}/{name[:2]}/{name}", as_name, dst_dir_fd=directory, follow_symlinks=False)

    def open(self, name: str) -> IO[bytes]:
        """A blob's bytes, which stay readable whatever happens to the object; raises FileNotFoundError."""
        return self.path(name).open("rb", buffering=0)

    @contextmanager
    def opener(self) -> Iterator[Callable[[str], int]]:
        """Opens blobs by name, for reading, in a tenth of the time of `open`: a channel may have a million objects."""
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield lambda name: os.open(f"{name[:2]}/{name}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        finally:
            os.close(directory)

    def descriptor(self, name: str) -> int:
        """As `open`, in a third of the time."""
        return os.open(f"{self._text}/{name[:2]}/{name}", os.O_RDONLY | os.O_CLOEXEC)

    def remove(self, name: str) -> None:
        """Unlink a blob that no row names any more; readers that have it open keep it."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, named: Callable[[], set[str]], *, dry_run: bool = False) -> list[tuple[str, int]]:
        """Unlink what is neither named by a row nor held by a writer; the names and sizes, also of what would go.

        `named` reads the names in use: once before, and once more when the candidates are held.
        """
        in_use = named()
        candidates = [path for path in self._all() if path.name not in in_use]
        removed: list[tuple[str, int]] = []
        for start in range(0, len(candidates), 256):
            with ExitStack() as held:
                mine = [path for path in candidates[start : start + 256] if _hold(path, held)]
                in_use = named()
                for path in mine:
                    if path.name not in in_use:
                        removed.append((path.name, path.stat().st_size))
                        if not dry_run:
                            path.unlink(missing_ok=True)
        return removed

    def _copied(self, source: int, size: int) -> NewBlob:
        copy = self.create()
        try:
            copy.append_file(source, size)
        except BaseException:
            copy.close()
            raise
        return copy

    def _all(self) -> Iterator[Path]:
        for directory in self.directory.iterdir():
            if directory.is_dir():
                yield from directory.iterdir()

    def _new_path(self) -> Path:
        path = self.path(secrets.token_hex(16))
        if path.parent not in self._made:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            sync_directory(self.directory)
            self._made.add(path.parent)
        return path


def _hold(path: Path, held: ExitStack) -> bool:
    """Whether no living writer holds the file; it is then held by `held`."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    held.enter_context(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
