"""Reads the members of a tar, plain or gzipped, in order, from any stream. Trusts no number that it reads."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from isal import igzip_threaded
from isal.igzip_lib import IsalError

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.header import BLOCK, EXTENSIONS, BadHeader, Member, member, padding, read_header, read_pax

#: Of one extension header (a long name, pax records); real ones are far smaller.
_EXTENSION_BYTES = 1 << 20
#: What a decompressor raises.
DAMAGED: tuple[type[Exception], ...] = (EOFError, zlib.error, IsalError, gzip.BadGzipFile)  # type: ignore[assignment]
#: Zeros that may follow the end: tar pads to its record, which writers choose.
_TRAILING_BYTES = 64 << 20
_CHUNK = 1 << 20


class Readable(Protocol):
    """Something to read an archive from."""

    def read(self, size: int, /) -> bytes: ...


class TarReader:
    """The members of one archive; `read` and `copy` concern the member that was given last."""

    def __init__(self, stream: Readable, *, max_members: int, skip: Callable[[int], object] | None = None) -> None:
        """More than `max_members` members, or a few times as many headers, are refused.

        `skip` moves the stream forward without reading, where it can.
        """
        self._stream = stream
        self._skip = skip
        self._max_members = max_members
        self._headers = 0
        self._left = 0  # data of the current member not read yet
        self._padding = 0
        self._name = ""

    def members(self) -> Iterator[Member]:
        """The members in order; raises UnsafeArchive when the archive is damaged or has too many."""
        count = 0
        global_pax: dict[str, str] = {}
        pax: dict[str, str] = {}
        long_name: str | None = None
        long_link: str | None = None
        while block := self._next_block():
            try:
                header = read_header(block)
                if header.type in EXTENSIONS:
                    payload = self._extension(header.size)
                    if header.type == b"x":
                        pax = read_pax(payload)
                    elif header.type == b"g":
                        global_pax |= read_pax(payload)
                    elif header.type == b"L":
                        long_name = payload.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
                    else:
                        long_link = payload.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
                    continue
                found = member(header, global_pax | pax, long_name, long_link)
            except BadHeader as error:
                raise UnsafeArchive("", str(error)) from error
            count += 1
            if count > self._max_members:
                raise UnsafeArchive(found.name, f"is one more than the {self._max_members} members allowed")
            pax, long_name, long_link = {}, None, None
            self._name, self._left, self._padding = found.name, found.size, padding(found.size)
            yield found

    def chunks(self) -> Iterator[bytes]:
        """The current member's data; raises UnsafeArchive when the archive ends before they do."""
        while self._left:
            data = self._read(min(self._left, _CHUNK))
            self._left -= len(data)
            yield data

    def _next_block(self) -> bytes:
        """The next header, or nothing at the end."""
        if self._skip and self._left:
            self._skip(self._left)
            self._left = 0
        for _ in self.chunks():
            pass
        if self._padding:
            self._read_exactly(self._padding)
            self._padding = 0
        self._headers += 1
        if self._headers > 4 * self._max_members + 16:
            raise UnsafeArchive("", "has more headers than its members need")
        block = self._read_exactly(BLOCK)
        if block.count(0) == BLOCK:
            self._drain()
            return b""
        return block

    def _extension(self, size: int) -> bytes:
        if size > _EXTENSION_BYTES:
            raise UnsafeArchive("", f"has a header of {size} bytes")
        payload = self._read_exactly(size)
        self._read_exactly(padding(size))
        return payload

    def _drain(self) -> None:
        """Read to the end of the stream, so that a checksum at its end is checked."""
        left = _TRAILING_BYTES
        while data := self._raw(_CHUNK):
            left -= len(data)
            if left < 0:
                raise UnsafeArchive("", "goes on behind its end")

    def _read_exactly(self, size: int) -> bytes:
        data = self._read(size) if size else b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def _read(self, size: int) -> bytes:
        data = self._raw(size)
        if not data:
            raise UnsafeArchive(self._name, "is cut off: the archive is not complete")
        return data

    def _raw(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except DAMAGED as error:
            raise UnsafeArchive("", f"is damaged or not complete: {error}") from error


@contextmanager
def open_archive(source: Path | BinaryIO) -> Iterator[Readable]:
    """The bytes of a .tar or, when it begins like one, of a .tar.gz. A stream that was given stays open."""
    if isinstance(source, Path):
        with source.open("rb") as opened:
            yield from _decompressed(opened)
    else:
        yield from _decompressed(source)


def _decompressed(stream: BinaryIO) -> Iterator[Readable]:
    begin = stream.read(2)
    whole = _Rejoined(begin, stream)
    if begin == b"\x1f\x8b":
        with igzip_threaded.open(whole, "rb") as decompressor:  # type: ignore[no-untyped-call]
            yield decompressor
    else:
        yield whole


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, begin: bytes, rest: BinaryIO) -> None:
        self._begin = begin
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._begin:
            taken, self._begin = self._begin, b""
            return taken
        return self._rest.read(size)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
