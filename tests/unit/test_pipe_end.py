"""The end of a FIFO that is written to: the reader gets all bytes in their order, however they were given."""

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.pipe_end import PipeEnd, ReaderGone, enlarge

CONTENT = os.urandom(700_000)
#: Places in the file around pages, and around what is gathered and what goes straight into the FIFO.
PLACES = st.one_of(st.integers(0, 10_000), st.sampled_from([4095, 4096, 131_071, 131_072, 131_073, len(CONTENT)]))
STEPS = st.lists(
    st.one_of(
        st.just("flush"),
        st.just("pour"),
        st.binary(max_size=20),
        st.sampled_from([600_000, 70_000]).map(lambda size: CONTENT[:size]),
        st.tuples(PLACES, PLACES).map(lambda two: (min(two), max(two))),
    ),
    max_size=60,
)


@dataclass(slots=True)
class Reader:
    """Reads a pipe to its end on a thread of its own."""

    end: PipeEnd
    got: bytearray = field(default_factory=bytearray)


@contextmanager
def reading(size: int) -> Iterator[Reader]:
    source, target = os.pipe2(os.O_CLOEXEC)
    fcntl.fcntl(target, 1031, size)
    reader = Reader(PipeEnd(target))

    def read() -> None:
        while data := os.read(source, 50_000):
            reader.got += data
        os.close(source)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield reader
    finally:
        reader.end.close()
        thread.join(60)
        assert not thread.is_alive()


@given(STEPS, st.sampled_from([4096, 65_536, 1024 * 1024]))
def test_what_is_given_comes_out_in_order(steps: list[str | bytes | tuple[int, int]], size: int) -> None:
    expected = bytearray()

    def poured(pipe: int) -> None:
        os.write(pipe, b"poured")

    with tempfile.TemporaryFile() as file, reading(size) as reader:
        file.write(CONTENT)
        file.flush()
        for step in steps:
            if step == "flush":
                reader.end.flush()
            elif step == "pour":
                reader.end.pour(poured)
                expected += b"poured"
            elif isinstance(step, bytes):
                reader.end.write(step)
                expected += step
            elif isinstance(step, tuple):
                reader.end.splice(file.fileno(), *step)
                expected += CONTENT[slice(*step)]
        reader.end.flush()
    assert reader.got == expected


def test_many_small_pieces_reach_the_reader_when_they_are_flushed() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        source, target = os.pipe2(os.O_CLOEXEC)
        enlarge(target)
        end = PipeEnd(target)
        end.write(b"head")
        end.splice(file.fileno(), 3, 1000)
        end.write(b"tail")
        os.set_blocking(source, False)
        with pytest.raises(BlockingIOError):  # they wait for more
            os.read(source, 1)
        end.flush()
        assert os.read(source, 5000) == b"head" + CONTENT[3:1000] + b"tail"
        end.close()
        os.close(source)


@pytest.mark.parametrize("size", [1000, 500_000])
def test_a_file_that_ends_early_and_a_reader_that_is_gone(size: int) -> None:
    source, target = os.pipe2(os.O_CLOEXEC)
    end = PipeEnd(target)
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT[: size // 100])
        file.flush()
        with pytest.raises(EOFError):
            end.splice(file.fileno(), 0, size)
        os.close(source)
        end.write(b"x")
        with pytest.raises(ReaderGone):
            end.flush()
        with pytest.raises(ReaderGone):
            end.splice(file.fileno(), 0, 131_072)
    end.close()
    end.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(target)
