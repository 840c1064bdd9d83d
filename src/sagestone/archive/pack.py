"""Packs directories into a `.tar.gz` that depends on nothing but names, contents and who may execute what."""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import igzip_threaded

from sagestone.archive.errors import PackFailed
from sagestone.archive.header import BLOCK, padding, write_header
from sagestone.archive.walk import Dropped, Entry, walk

_CHUNK = 1 << 20
_THREADS = 2  # of the compressor; fixed, so that the bytes are the same on every machine
_RECORD = 20 * BLOCK  # tar's unit: archives are padded to it


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """What went into an archive and what was left out."""

    files: int
    bytes: int  # of the files' contents
    packed_bytes: int  # of the .tar.gz
    dropped: tuple[Dropped, ...]


def pack_tree(
    roots: Sequence[Path], write: Callable[[bytes], None], limit_bytes: int, sums: str | None = None
) -> PackReport:
    """Pack what is below `roots` as one tree, handing the archive's bytes to `write` in order.

    `write` is called from another thread, one call at a time. Regular files, directories, and links that stay inside
    the tree are kept; the rest is dropped and reported. Where roots clash the later one wins, which is reported too.
    The same trees give the same bytes whatever their times and owners. `sums` names a last member that has the SHA-256
    of every file, as sha256sum writes and checks them. Raises PackFailed when the contents exceed
    `limit_bytes` (sparse files count in full) or cannot be read, and whatever `write` raises; what was written by then
    is not a whole archive.
    """
    dropped: list[Dropped] = []
    sink = _Sink(write)
    compressor: BinaryIO = igzip_threaded.open(sink, "wb", compresslevel=1, threads=_THREADS)  # type: ignore[no-untyped-call]
    try:
        packer = _Packer(compressor, limit_bytes, None if sums is None else [])
        for entry in walk(roots, dropped):
            packer.add(entry)
        if sums is not None:
            packer.add_sums(sums)
        packer.end()
    except BaseException:
        sink.abandoned = True
        raise
    finally:
        compressor.close()
    return PackReport(files=packer.files, bytes=packer.bytes, packed_bytes=sink.written, dropped=tuple(dropped))


class _Sink(io.RawIOBase):
    """Hands bytes on until it is abandoned: the end that a closing compressor writes would make a part look whole."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self.written = 0
        self.abandoned = False

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]
        if content and not self.abandoned:
            self._write(content)
            self.written += len(content)
        return len(content)


class _Packer:
    """Writes entries as tar members and counts them."""

    def __init__(self, out: BinaryIO, limit_bytes: int, sums: list[str] | None) -> None:
        self.files = 0
        self.bytes = 0
        self._out = out
        self._limit = limit_bytes
        self._sums = sums
        self._length = 0  # of the tar so far
        self._buffer = memoryview(bytearray(_CHUNK))

    def add(self, entry: Entry) -> None:
        if entry.kind == "file":
            self._add_file(entry)
        else:
            mode = 0o755 if entry.kind == "directory" else 0o777
            self._put(write_header(entry.name, entry.kind, mode=mode, size=0, link=entry.link))

    def add_sums(self, name: str) -> None:
        """The sums of the files so far, as a file of that name."""
        content = "".join(self._sums or ()).encode("utf-8", "surrogateescape")
        self._put(write_header(name, "file", mode=0o644, size=len(content), link=""))
        self._put(content)
        self._put(bytes(padding(len(content))))

    def end(self) -> None:
        """Two empty blocks, and zeros to a whole record, as tar has it."""
        self._put(bytes(2 * BLOCK))
        self._put(bytes(-self._length % _RECORD))

    def _add_file(self, entry: Entry) -> None:
        self.files += 1
        self.bytes += entry.size
        if self.bytes > self._limit:
            raise PackFailed(entry.name, f"makes the archive's contents larger than {self._limit} bytes")
        mode = 0o755 if entry.executable else 0o644
        self._put(write_header(entry.name, "file", mode=mode, size=entry.size, link=""))
        left, hashing = entry.size, None if self._sums is None else hashlib.sha256()
        while left:
            try:
                count = os.readv(entry.descriptor, [self._buffer[: min(left, _CHUNK)]])
            except OSError as error:
                raise PackFailed(entry.name, f"cannot be read: {error.strerror}") from error
            if not count:
                raise PackFailed(entry.name, "became shorter while it was packed")
            self._put(self._buffer[:count])
            if hashing is not None:
                hashing.update(self._buffer[:count])
            left -= count
        self._put(bytes(padding(entry.size)))
        if self._sums is not None and hashing is not None:
            self._sums.append(f"{hashing.hexdigest()}  {entry.name}\n")

    def _put(self, data: bytes | memoryview) -> None:
        self._out.write(data)
        self._length += len(data)
