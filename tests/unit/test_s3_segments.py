"""The layout of encrypted blobs: any range of any segments comes back, and nothing that was changed does."""

import tempfile
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagestone.s3.storage.segments import CHUNK, TAG, SealedBytes, SegmentSealer, sealed_size

KEY = bytes(range(32))
#: Sizes around where chunks begin and end.
SIZES = st.sampled_from([0, 1, 7, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5, 17 * CHUNK])


def sealed(data: bytes, cuts: Iterable[int] = ()) -> bytes:
    """One segment, fed in pieces."""
    sealer, made, at = SegmentSealer(KEY), bytearray(), 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        for piece in sealer.feed(memoryview(data)[at:cut]):
            made += piece
        at = cut
    return bytes(made + sealer.finish())


def plain(size: int) -> bytes:
    return (b"0123456789abcdefghijklmnopqrstuvwxyz-" * (size // 37 + 1))[:size]


def opened(blob: bytes, segments: tuple[int, ...], first: int, end: int, key: bytes = KEY) -> bytes:
    with tempfile.TemporaryFile() as file:
        file.write(blob)
        file.flush()
        pieces = list(SealedBytes(file.fileno(), key, segments).pieces(first, end))
    assert all(0 < len(piece) <= 1024 * 1024 for piece in pieces)
    return b"".join(pieces)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(SIZES, min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 2**40), max_size=4),
    begin=st.integers(0, 2**40),
    length=st.integers(0, 2**40),
)
def test_any_range_of_any_segments_comes_back(sizes: list[int], cuts: list[int], begin: int, length: int) -> None:
    data = plain(sum(sizes))
    blob, at = b"", 0
    for size in sizes:
        segment = sealed(data[at : at + size], cuts)
        assert len(segment) == sealed_size(size)
        blob, at = blob + segment, at + size
    first = begin % (len(data) + 1)
    end = first + length % (len(data) - first + 1)
    assert opened(blob, tuple(sizes), first, end) == data[first:end]
    assert opened(blob, tuple(sizes), 0, len(data)) == data
    assert data[:64] not in blob or len(data) < 64


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, sealed_size(2 * CHUNK + 9) - 1), bit=st.integers(0, 7))
def test_whatever_bit_is_turned_is_noticed(at: int, bit: int) -> None:
    data = plain(2 * CHUNK + 9)
    blob = bytearray(sealed(data))
    blob[at] ^= 1 << bit
    with pytest.raises(OSError, match="not as it was written"):
        opened(bytes(blob), (len(data),), 0, len(data))


def test_chunks_that_are_moved_missing_or_of_another_key_are_noticed() -> None:
    data = plain(3 * CHUNK)
    blob = sealed(data)
    chunk = CHUNK + TAG
    head, chunks = blob[:16], [blob[16 + n * chunk : 16 + (n + 1) * chunk] for n in range(3)]
    for changed, size in (
        (head + chunks[1] + chunks[0] + chunks[2], 3 * CHUNK),
        (head + chunks[0] + chunks[1], 2 * CHUNK),
        (head + chunks[0] + chunks[1], 3 * CHUNK),
        (sealed(data)[:16] + b"".join(chunks), 3 * CHUNK),
    ):
        with pytest.raises(OSError, match=r"not as it was written|ends after"):
            opened(changed, (size,), 0, size)
    with pytest.raises(OSError, match="not as it was written"):
        opened(blob, (len(data),), 0, len(data), bytes(32))


def test_the_same_bytes_are_sealed_otherwise_each_time() -> None:
    assert sealed(b"same") != sealed(b"same")
