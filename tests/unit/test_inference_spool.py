"""A spool gives back what went in, wherever it lies."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sagestone.inference.spool import Spool

SCRATCH = Path(tempfile.gettempdir())


@given(st.lists(st.binary(max_size=20), max_size=10), st.integers(0, 60), st.integers(0, 100), st.integers(0, 100))
def test_what_goes_in_comes_out(parts: list[bytes], in_memory: int, start: int, size: int) -> None:
    spool = Spool(SCRATCH, in_memory)
    for part in parts:
        spool.write(part)
    content = b"".join(parts)
    assert spool.size == len(content)
    assert b"".join(spool.pieces(start)) == content[start:]
    assert b"".join(spool.pieces()) == content
    spool.cut(size)
    spool.write(b"more")
    assert b"".join(spool.pieces()) == content[:size] + b"more"
    assert spool.head(3) == (content[:size] + b"more")[:3]
    spool.close()
    assert list(spool.pieces()) == []


@given(st.lists(st.integers(0, 300_000), max_size=6), st.integers(0, 900_000), st.integers(0, 900_000))
def test_large_pieces_are_kept_as_they_are_and_small_ones_gathered(sizes: list[int], start: int, size: int) -> None:
    parts = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    spool, content = Spool(SCRATCH, 1 << 22), b"".join(parts)
    for part in parts:
        spool.write(part)
    assert b"".join(bytes(piece) for piece in spool.buffers()) == b"".join(spool.pieces()) == content
    assert b"".join(spool.pieces(start)) == content[start:]
    spool.cut(size)
    assert b"".join(spool.pieces()) == content[:size]
    assert all(spool.buffers())
    spool.close()


def test_large_contents_lie_in_a_file_without_a_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path, in_memory=10)
    before = len(list(Path("/proc/self/fd").iterdir()))
    spool.write(b"x" * 600_000)
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    assert [len(piece) for piece in spool.pieces()] == [262144, 262144, 75712]
    assert list(tmp_path.iterdir()) == []
    spool.close()
