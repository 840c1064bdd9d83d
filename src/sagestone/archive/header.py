"""The headers of tar: written as pax, read as pax, GNU or old ustar. Bytes in, documents out; no files touched."""

import os
import tarfile
from dataclasses import dataclass
from typing import Literal

BLOCK = 512

MemberKind = Literal["file", "directory", "symlink", "hardlink", "device", "fifo", "sparse", "unknown"]

_KINDS: dict[bytes, MemberKind] = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink",
    b"3": "device", b"4": "device", b"5": "directory", b"6": "fifo", b"S": "sparse",
}  # fmt: skip

#: Headers that describe the next member (or all of them) instead of being one.
EXTENSIONS = frozenset({b"x", b"g", b"L", b"K"})


class BadHeader(Exception):
    """A header cannot be read; the text completes "the archive …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One 512-byte block as it stands, before extensions are applied. Names are decoded as the file system's are."""

    type: bytes
    name: str
    link: str
    mode: int
    uid: int
    gid: int
    size: int
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an archive, its extensions applied."""

    name: str
    kind: MemberKind
    link: str
    mode: int
    uid: int
    gid: int
    size: int  # of the data that follow
    time: float  # of the last change, in seconds since 1970


def read_header(block: bytes) -> Header:
    """Parse one block; raises BadHeader when its checksum or a number is wrong."""
    if _number(block[148:156], "checksum") != sum(block[:148]) + 256 + sum(block[156:]):
        raise BadHeader("is damaged: a header's checksum is wrong")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    return Header(
        type=block[156:157],
        name=name,
        link=_text(block[157:257]),
        mode=_number(block[100:108], "mode"),
        uid=_number(block[108:116], "uid"),
        gid=_number(block[116:124], "gid"),
        size=_number(block[124:136], "size"),
        time=_number(block[136:148], "time"),
    )


def read_pax(payload: bytes) -> dict[str, str]:
    """The records `length key=value` of a pax header; raises BadHeader."""
    records: dict[str, str] = {}
    position = 0
    while position < len(payload):
        space = payload.find(b" ", position)
        digits = payload[position:space] if space > 0 else b""
        if not digits.isdigit() or len(digits) > 10:
            raise BadHeader("is damaged: a pax header's length is no number")
        end = position + int(digits)
        key, equals, value = payload[space + 1 : end - 1].partition(b"=")
        if end > len(payload) or end <= space or not equals or payload[end - 1 : end] != b"\n":
            raise BadHeader("is damaged: a pax header's record is cut")
        records[os.fsdecode(key)] = os.fsdecode(value)
        position = end
    return records


def member(header: Header, pax: dict[str, str], long_name: str | None, long_link: str | None) -> Member:
    """The member that a header and its extensions describe; raises BadHeader."""
    name = pax.get("path", long_name if long_name is not None else header.name)
    kind = _KINDS.get(header.type, "unknown")
    if kind == "file" and name.endswith("/") and header.type in (b"0", b"\0"):
        kind = "directory"  # archives from before POSIX
    if any(key.startswith("GNU.sparse") for key in pax):
        kind = "sparse"
    size = _pax_number(pax, "size", header.size)
    return Member(
        name=name,
        kind=kind,
        link=pax.get("linkpath", long_link if long_link is not None else header.link),
        mode=header.mode & 0o7777,
        uid=_pax_number(pax, "uid", header.uid),
        gid=_pax_number(pax, "gid", header.gid),
        size=size if kind in ("file", "sparse", "unknown") else 0,
        time=_pax_time(pax, header.time),
    )


def write_header(name: str, kind: Literal["file", "directory", "symlink"], *, mode: int, size: int, link: str) -> bytes:
    """A member's blocks in pax form: time 0, owner 0, no names of people."""
    entry = tarfile.TarInfo(name)
    entry.type = {"file": tarfile.REGTYPE, "directory": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE}[kind]
    entry.mode, entry.size, entry.linkname = mode, size, link
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> int:
    """Bytes from the end of `size` bytes of data to the next header."""
    return -size % BLOCK


def _text(field: bytes) -> str:
    return os.fsdecode(field.split(b"\0", 1)[0])


def _number(field: bytes, what: str) -> int:
    """Octal text, or GNU's base 256 when the first bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40:
            raise BadHeader(f"is damaged: a header's {what} is negative")
        return value
    text = field.split(b"\0", 1)[0].strip(b" ")
    if not text:
        return 0
    if not all(48 <= digit < 56 for digit in text):
        raise BadHeader(f"is damaged: a header's {what} is no octal number")
    return int(text, 8)


def _pax_number(pax: dict[str, str], key: str, default: int) -> int:
    text = pax.get(key)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 20:
        raise BadHeader(f"is damaged: a pax header's {key} is no number")
    return int(text)


def _pax_time(pax: dict[str, str], default: float) -> float:
    """Decimal seconds; an odd one is not worth refusing an archive for."""
    try:
        time = float(pax.get("mtime", default))
    except ValueError:
        return default
    return time if 0 <= time < 1 << 40 else 0.0
