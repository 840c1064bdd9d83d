"""Writers of the framed formats, as their definitions say it; the code under test takes no part."""

import struct

import google_crc32c

MAGIC = struct.pack("<I", 0xCED7230A)


def tf_record(payload: bytes) -> bytes:
    """A TFRecord frame."""
    length = struct.pack("<Q", len(payload))
    return length + _masked(length) + payload + _masked(payload)


def recordio(payload: bytes) -> bytes:
    """A RecordIO record as dmlc's writer lays it down: cut where the magic stands at an aligned place."""
    parts, start = [], 0
    for at in range(0, len(payload) - 3, 4):
        if payload[at : at + 4] == MAGIC:
            parts.append(payload[start:at])
            start = at + 4
    parts.append(payload[start:])
    if len(parts) == 1:
        return _part(0, payload)
    flags = [1] + [2] * (len(parts) - 2) + [3]
    return b"".join(_part(flag, part) for flag, part in zip(flags, parts, strict=True))


def _part(flag: int, data: bytes) -> bytes:
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + bytes(-len(data) % 4)


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
