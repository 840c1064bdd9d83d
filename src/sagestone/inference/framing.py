"""The two framed formats of TransformInput.SplitType: how a record stands among bytes.

RecordIO (dmlc's, which MXNet and recordio-protobuf share): magic, a word of 3 bits flag and 29 bits length, the bytes,
zeros up to a multiple of four. A record with the magic at an aligned place inside was cut there by its writer: parts
are flagged 1 (first), 2, 3 (last), and the magic between them has to be put back.

TFRecord: length (8 bytes), masked CRC32C of it, the bytes, masked CRC32C of them.
"""

import struct
from dataclasses import dataclass

import google_crc32c

MAGIC = struct.pack("<I", 0xCED7230A)
_RECORDIO, _LENGTH, _CRC = struct.Struct("<4sI"), struct.Struct("<Q"), struct.Struct("<I")
_FIRST, _MIDDLE, _LAST = 1, 2, 3


class Damaged(Exception):
    """Bytes that are no record of the format; the text is a clause about the record."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the head of a frame says: `size` bytes follow it, then `tail` bytes that are not the record's.

    `more`: the record goes on in the next frame, after `joint`.
    """

    size: int
    tail: int
    more: bool = False
    joint: bytes = b""


class RecordIO:
    """SplitType RecordIO. `head` is the number of bytes that stand before a record, as in TFRecord."""

    name, head = "RecordIO", _RECORDIO.size

    def open(self, head: bytes, *, inside: bool) -> Frame:
        """The frame that begins with `head`; `inside`: it has to go on with a record. Raises Damaged."""
        magic, word = _RECORDIO.unpack(head)
        if magic != MAGIC:
            raise Damaged(f"it begins with {magic.hex()}, not with the magic {MAGIC.hex()}")
        flag, size = word >> 29, word & 0x1FFFFFFF
        if flag == 0 and not inside:
            return Frame(size, -size % 4)
        if flag > _LAST or inside == (flag in (0, _FIRST)):
            raise Damaged(f"a part with flag {flag} cannot stand {'inside' if inside else 'at the begin of'} a record")
        return Frame(size, -size % 4, flag != _LAST, MAGIC)

    def sum(self, data: bytes, before: int) -> int:
        """The checksum of what had the checksum `before` (0 at first), and `data`: this format has none."""
        return 0

    def check(self, tail: bytes, checksum: int) -> None:
        """Raises Damaged where the frame's end does not fit the record's bytes."""


class TFRecord:
    """SplitType TFRecord."""

    name, head = "TFRecord", _LENGTH.size + _CRC.size

    def open(self, head: bytes, *, inside: bool) -> Frame:
        found = _masked(google_crc32c.value(head[: _LENGTH.size]))
        (expected,) = _CRC.unpack_from(head, _LENGTH.size)
        if found != expected:
            raise Damaged(f"the checksum of its length is {found:08x}, but {expected:08x} stands there")
        return Frame(_LENGTH.unpack_from(head)[0], _CRC.size)

    def sum(self, data: bytes, before: int) -> int:
        return google_crc32c.extend(before, data)  # type: ignore[no-any-return]

    def check(self, tail: bytes, checksum: int) -> None:
        found, (expected,) = _masked(checksum), _CRC.unpack(tail)
        if found != expected:
            raise Damaged(f"the checksum of its bytes is {found:08x}, but {expected:08x} stands there")


Framing = RecordIO | TFRecord


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
