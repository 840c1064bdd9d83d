"""The pool of downloads: all is done, the first failure comes out, and threads are added where they only wait."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from sagestone.channels.downloads import THREADS, Downloads, busy_seconds


def _add_all(pool: Downloads, pieces: Sequence[Callable[[], None]]) -> None:
    for piece in pieces:
        pool.add(piece)


def test_everything_is_done_once() -> None:
    done: list[int] = []
    pool = Downloads(lambda: None)
    _add_all(pool, [partial(done.append, number) for number in range(1000)])
    pool.finish()
    assert sorted(done) == list(range(1000))


def test_the_first_failure_comes_out_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 5:
            raise ValueError("number 5")

    pool = Downloads(lambda: None)
    with pytest.raises(ValueError, match="number 5"):
        _add_all(pool, [partial(work, number) for number in range(10_000)])
    pool.abandon()
    assert len(begun) < 10_000


def test_threads_that_only_wait_become_more() -> None:
    """As many as wait at once: each piece ends only when more wait than there were threads at first."""
    together = threading.Barrier(THREADS + 4)

    def wait_for_the_others() -> None:
        together.wait(60)

    pool = Downloads(lambda: None)
    _add_all(pool, [wait_for_the_others] * (10 * together.parties))
    pool.finish()


def test_waiting_is_not_being_busy() -> None:
    before = busy_seconds()
    threading.Event().wait(0.3)
    waited = busy_seconds() - before
    before, began = busy_seconds(), time.process_time()
    while time.process_time() - began < 0.3:
        pass
    assert waited < busy_seconds() - before
