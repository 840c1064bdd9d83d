"""RecordIO framing as dmlc writes it: payloads in records that a reader can find in a stream.

    magic 0xCED7230A, little-endian | flag << 29 | length, little-endian | payload | zeros up to a multiple of 4

Where the payload itself has the magic at a multiple of 4 bytes, the record ends before it, those 4 bytes are left out,
and the next one goes on behind: flag 0 is a whole record, 1 the first part of one, 2 one in the middle, 3 the last.
Readers put the magic back between parts. A record's payload has less than 2^29 bytes.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = struct.pack("<I", 0xCED7230A)
LONGEST_PAYLOAD: Final = 2**29 - 1
_LAST: Final = MAGIC[3:]
_WINDOW = 4 * 1024 * 1024  # a multiple of 4: no magic that counts lies across two of them
_header = struct.Struct("<4sI").pack
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


@dataclass(frozen=True, slots=True)
class Part:
    """One record or part of one: `header`, then the payload's bytes from `start` to before `stop`, then `padding`."""

    header: bytes
    start: int
    stop: int
    padding: bytes


def header(size: int) -> bytes:
    """What stands before a payload of that size that is one whole record."""
    return _header(MAGIC, size)


def padding(size: int) -> bytes:
    """What stands behind a payload of that size."""
    return _PADDING[size & 3]


def may_be_split(payload: bytes) -> bool:
    """Whether the payload has the magic somewhere, be it at a multiple of 4 or not."""
    # Text has no byte like its last: that is seen ten times as fast. Backward is faster than forward.
    return _LAST in payload and payload.rfind(MAGIC) >= 0


def record(payload: bytes) -> list[bytes]:
    """The pieces of a payload's record, in order. Raises ValueError when the payload is too long."""
    if not may_be_split(payload):
        size = _checked(len(payload))
        return [_header(MAGIC, size), payload, _PADDING[size & 3]] if size & 3 else [_header(MAGIC, size), payload]
    view = memoryview(payload)
    pieces: list[bytes] = []
    for part in parts(lambda start, stop: payload[start:stop], len(payload)):
        pieces += (part.header, bytes(view[part.start : part.stop]), part.padding)
    return pieces


def parts(read: Callable[[int, int], bytes], size: int) -> Iterator[Part]:
    """The parts of the record of a payload of that size; `read(start, stop)` gives its bytes from there to there.

    The payload is read once, in order, at most 4 MiB at a time. Raises ValueError when it is too long.
    """
    _checked(size)
    begin = 0
    for magic in _magics(read, size):
        yield _part(1 if begin == 0 else 2, begin, magic)
        begin = magic + len(MAGIC)
    yield _part(0 if begin == 0 else 3, begin, size)


def _magics(read: Callable[[int, int], bytes], size: int) -> Iterator[int]:
    """Where the payload has the magic at a multiple of 4."""
    for start in range(0, size, _WINDOW):
        window = read(start, min(start + _WINDOW, size))
        if not may_be_split(window):
            continue
        found = window.find(MAGIC)
        while found >= 0:
            if found % 4 == 0:
                yield start + found
                found += 3
            found = window.find(MAGIC, found + 1)


def _part(flag: int, start: int, stop: int) -> Part:
    size = stop - start
    return Part(_header(MAGIC, flag << 29 | size), start, stop, _PADDING[size & 3])


def _checked(size: int) -> int:
    if size > LONGEST_PAYLOAD:
        raise ValueError(f"{size} bytes do not fit into a RecordIO record, which holds less than 2^29 bytes (512 MiB)")
    return size
