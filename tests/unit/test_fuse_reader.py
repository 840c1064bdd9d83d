"""Reading objects as files are read: any place, any order, any number of threads; the same bytes, and nothing kept."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagestone.channels.fuse.reader import AHEAD, LEAST, SMALL, Budget, ObjectReader
from sagestone.s3.client import S3Failure, SourceObject
from sagestone.s3.uri import S3Uri

CONTENT = bytes(range(256)) * (3 * SMALL // 256) + b"end"


class Store:
    """Gives ranges of CONTENT, and remembers which."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.broken = False

    def fetch(self, found: SourceObject, start: int, stop: int) -> bytes:
        if self.broken:
            raise S3Failure(f"{found.uri}: gone")
        self.ranges.append((start, stop))
        return CONTENT[start:stop]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def _reader(
    store: Store, pool: ThreadPoolExecutor, size: int = len(CONTENT), budget: Budget | None = None
) -> ObjectReader:
    return ObjectReader(SourceObject(S3Uri("b", "k"), size, "e"), store.fetch, pool, budget or Budget())


def _read(reader: ObjectReader, offset: int, size: int) -> bytes:
    return b"".join(reader.read(offset, size))


READS = st.lists(st.tuples(st.integers(0, len(CONTENT) + 5000), st.integers(0, 700_000)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(reads=READS, most=st.sampled_from([0, LEAST, AHEAD]))
def test_any_reads_in_any_order(reads: list[tuple[int, int]], most: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        budget = Budget(most)
        reader = _reader(Store(), pool, budget=budget)
        for offset, size in reads:
            assert _read(reader, offset, size) == CONTENT[offset : offset + size]
        reader.close()
    assert budget.used == 0


def test_many_threads_read_one_file_through(pool: ThreadPoolExecutor) -> None:
    store = Store()
    reader = _reader(store, pool)
    found: dict[int, bytes] = {}
    places = list(range(0, len(CONTENT), 100_000))

    def work(first: int) -> None:
        for place in places[first::4]:
            found[place] = _read(reader, place, 100_000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"".join(found[place] for place in places) == CONTENT


def test_a_file_read_through_is_fetched_once_and_ahead(pool: ThreadPoolExecutor) -> None:
    store = Store()
    reader = _reader(store, pool)
    for place in range(0, len(CONTENT), LEAST):
        _read(reader, place, LEAST)
    assert sum(stop - start for start, stop in store.ranges) == len(CONTENT)
    assert len(store.ranges) < len(CONTENT) / LEAST


def test_a_small_object_comes_whole_and_a_jump_brings_little(pool: ThreadPoolExecutor) -> None:
    store = Store()
    _read(_reader(store, pool, size=1000), 500, 10)
    assert store.ranges == [(0, 1000)]
    _read(_reader(store, pool), 2_000_000, 10)
    assert store.ranges[1:] == [(2_000_000, 2_000_000 + LEAST)]


def test_what_fetching_raises_reaches_the_reader(pool: ThreadPoolExecutor) -> None:
    store = Store()
    store.broken = True
    with pytest.raises(S3Failure, match="s3://b/k: gone"):
        _read(_reader(store, pool), 0, 10)


def test_reads_that_overtake_one_another_fetch_nothing_twice(pool: ThreadPoolExecutor) -> None:
    """The kernel asks for several MiB at once, and its requests come to the threads in any order."""
    store = Store()
    reader = _reader(store, pool)
    places = list(range(0, len(CONTENT), LEAST))
    for start in range(0, len(places), 4):
        for place in reversed(places[start : start + 4]):
            assert _read(reader, place, LEAST) == CONTENT[place : place + LEAST]
    assert sum(stop - start for start, stop in store.ranges) <= len(CONTENT) + 4 * LEAST
