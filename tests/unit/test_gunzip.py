"""Gzip input is undone whatever its members and cuts, and what is no whole gzip is said."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.archive.gunzip import BadGzip, gunzip


@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(1, 50), st.integers(0, 600))
def test_any_number_of_members_in_any_pieces(members: list[bytes], size: int, padding: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members) + (b"\0" * padding if members else b"")
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(gunzip(pieces)) == b"".join(members)


def test_a_small_file_that_grows_large_comes_in_small_pieces() -> None:
    sizes = [len(piece) for piece in gunzip([gzip.compress(b"\0" * 10_000_000)])]
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 1024 * 1024


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"a,b,c\n1,2,3\n", "does not begin with gzip's magic number"),
        (b"1\n", "does not begin with gzip's magic number"),
        (gzip.compress(b"x" * 1000)[:-4], "ends before the end"),
        (gzip.compress(b"x" * 1000)[:15], "ends before the end"),
        (gzip.compress(b"abc")[:-8] + b"12345678", "checksum"),
        (gzip.compress(b"abc") + b"no gzip", "behind its 1 member stands something"),
        (gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0x", "behind its 2 members stands something"),
    ],
    ids=[
        "no gzip",
        "a short one",
        "cut in the trailer",
        "cut in the data",
        "wrong checksum",
        "something behind it",
        "something behind padding",
    ],
)
def test_what_is_no_whole_gzip_is_refused(packed: bytes, reason: str) -> None:
    with pytest.raises(BadGzip, match=reason):
        list(gunzip([packed]))
