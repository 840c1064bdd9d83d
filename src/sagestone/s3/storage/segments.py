"""Sealed segments: how an encrypted blob is laid out, so that any range of it can be opened without the rest.

A blob is one segment after the other, one for each part of a multipart upload and one for any other object. A segment
is 16 bytes of salt and its plaintext in chunks of 64 KiB, each sealed with AES-256-GCM and 16 bytes longer; an empty
segment has one empty chunk. The key of a segment is made of the object's data key and the salt, so none is used twice;
the nonce of a chunk is its number and whether it is the last, so that chunks that are changed, moved or missing are
noticed. (The construction is that of STREAM and of Tink's streaming AEAD.)
"""

import errno
import os
import secrets
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sagestone.kms.seal import SALT_BYTES, derived_key

CHUNK = 64 * 1024
TAG = 16
_AT_ONCE = 16  # chunks: 1 MiB
_PURPOSE = b"sagestone s3 segment"


def sealed_size(size: int) -> int:
    """How long the segment of that many bytes is."""
    return SALT_BYTES + size + TAG * _chunks(size)


class SegmentSealer:
    """Makes one segment of what is fed to it, holding no more than a chunk."""

    def __init__(self, data_key: bytes) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        self._cipher = AESGCM(derived_key(data_key, salt, _PURPOSE))
        self._number = 0
        self._rest = bytearray()
        self._head = salt

    def feed(self, data: memoryview) -> Iterator[bytes]:
        """What of the segment is known after this data."""
        at = min(CHUNK - len(self._rest), len(data))
        self._rest += data[:at]
        while at < len(data):  # only what something follows is sealed: the last chunk says that it is
            yield self._sealed(self._rest, last=False)
            self._rest = bytearray(data[at : at + CHUNK])
            at += len(self._rest)

    def finish(self) -> bytes:
        """The end of the segment."""
        return self._sealed(self._rest, last=True)

    def _sealed(self, chunk: bytearray, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), chunk, None)
        self._number += 1
        head, self._head = self._head, b""
        return head + sealed if head else sealed


class SealedBytes:
    """What is sealed in an open blob; `segments` are the sizes of their plaintext. May be read from any thread."""

    def __init__(self, descriptor: int, data_key: bytes, segments: tuple[int, ...]) -> None:
        self._file = descriptor
        self._data_key = data_key
        self._sizes = segments
        self._ends = list(accumulate(segments))
        self._places = [0, *accumulate(map(sealed_size, segments))]

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        """The bytes from `first` to before `end` in pieces of at most 1 MiB; only their chunks are read and opened.

        Raises OSError (EIO) where the blob is not as it was written.
        """
        number = bisect_right(self._ends, first)
        while first < end:
            begin = self._ends[number] - self._sizes[number]
            stop = min(end, self._ends[number])
            yield from self._of_segment(number, first - begin, stop - begin)
            first, number = stop, number + 1
            while number < len(self._sizes) and self._sizes[number] == 0:
                number += 1

    def _of_segment(self, number: int, first: int, end: int) -> Iterator[bytes]:
        if first >= end:
            return
        place, chunks = self._places[number], _chunks(self._sizes[number])
        cipher = AESGCM(derived_key(self._data_key, self._read(SALT_BYTES, place), _PURPOSE))
        length = place + sealed_size(self._sizes[number])
        for chunk in range(first // CHUNK, (end - 1) // CHUNK + 1, _AT_ONCE):
            stop = min(chunk + _AT_ONCE, (end - 1) // CHUNK + 1)
            at = place + SALT_BYTES + chunk * (CHUNK + TAG)
            sealed = memoryview(self._read(min(length, at + (stop - chunk) * (CHUNK + TAG)) - at, at))
            opened = bytearray()
            for each in range(chunk, stop):
                begin = (each - chunk) * (CHUNK + TAG)
                opened += self._opened(cipher, sealed[begin : begin + CHUNK + TAG], each, last=each == chunks - 1)
            yield bytes(memoryview(opened)[max(0, first - chunk * CHUNK) : end - chunk * CHUNK])

    def _opened(self, cipher: AESGCM, sealed: memoryview, number: int, *, last: bool) -> bytes:
        try:
            return cipher.decrypt(_nonce(number, last=last), sealed, None)
        except (InvalidTag, ValueError):
            raise OSError(errno.EIO, "an encrypted blob is not as it was written") from None

    def _read(self, count: int, at: int) -> bytes:
        found = os.pread(self._file, count, at)
        if len(found) != count:
            raise OSError(errno.EIO, f"an encrypted blob ends after {at + len(found)} bytes")
        return found


def _chunks(size: int) -> int:
    return max(1, -(-size // CHUNK))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")
