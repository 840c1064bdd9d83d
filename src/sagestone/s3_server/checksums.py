"""The checksums that S3 clients send: CRC32, CRC32C, CRC64NVME, SHA1, SHA256, in base64."""

import hashlib
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from typing import Protocol

from sagestone.s3.storage.documents import ChecksumType, Part
from sagestone.s3.storage.refusal import Refusal

SIZES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
PREFIX = "x-amz-checksum-"


class Checksum(Protocol):
    """A checksum being computed."""

    def update(self, data: memoryview) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, extend: Callable[[memoryview, int], int], size: int) -> None:
        self._extend = extend
        self._size = size
        self._value = 0

    def update(self, data: memoryview) -> None:
        self._value = self._extend(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def new_checksum(algorithm: str) -> Checksum:
    """A fresh checksum; `algorithm` is one of SIZES."""
    if algorithm in ("sha1", "sha256"):
        return hashlib.new(algorithm, usedforsecurity=False)
    if algorithm == "crc32":
        return _Crc(zlib.crc32, 4)
    if algorithm == "crc32c":
        import google_crc32c

        return _Crc(lambda data, value: int(google_crc32c.extend(value, bytes(data))), 4)
    from awscrt import checksums

    return _Crc(lambda data, value: int(checksums.crc64nvme(data, value)), 8)


def checksum_of(algorithm: str, pieces: Iterable[bytes]) -> str:
    """The checksum of pieces, in base64."""
    checksum = new_checksum(algorithm)
    for piece in pieces:
        checksum.update(memoryview(piece))
    return b64encode(checksum.digest()).decode()


def read_algorithm(name: str) -> str:
    """The algorithm of a header such as `CRC32`, in lower case; raises Refusal InvalidRequest."""
    if name.lower() not in SIZES:
        raise Refusal(
            "InvalidRequest",
            f"Checksum algorithm provided is unsupported: {name[:32]!r}. Please try again with any of the valid types: "
            "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    return name.lower()


def claimed_checksum(headers: dict[str, str]) -> tuple[str, str] | None:
    """(algorithm, base64) of the one x-amz-checksum- header; None without one; raises Refusal InvalidRequest."""
    found = [(algorithm, headers[PREFIX + algorithm]) for algorithm in SIZES if PREFIX + algorithm in headers]
    if not found:
        return None
    if len(found) > 1:
        raise Refusal("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    check_form(*found[0])
    return found[0]


def check_form(algorithm: str, value: str) -> None:
    """Refuse a checksum that cannot be one of its algorithm."""
    try:
        right = len(b64decode(value, validate=True)) == SIZES[algorithm]
    except (NotBase64, ValueError):
        right = False
    if not right:
        raise Refusal("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.")


def check_value(algorithm: str, claimed: str, computed: str) -> None:
    """Refuse a checksum that is not what was computed."""
    if claimed != computed:
        raise Refusal(
            "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum ({computed})."
        )


def joined_checksum(algorithm: str, parts: Iterable[Part]) -> str:
    """The composite checksum of a multipart object: the checksum of the parts' checksums, and their number."""
    values = [b64decode(part.checksums[algorithm]) for part in parts]
    return f"{checksum_of(algorithm, values)}-{len(values)}"


def checksum_headers(checksums: dict[str, str], kind: ChecksumType) -> dict[str, str]:
    """The headers that give checksums back."""
    headers = {PREFIX + algorithm: value for algorithm, value in checksums.items()}
    if headers:
        headers["x-amz-checksum-type"] = kind
    return headers
