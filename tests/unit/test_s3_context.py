"""Blocking work of the store's face: who is cancelled waits for it, as the files that it was given are closed then."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagestone.s3.storage.storage import open_storage
from sagestone.s3_server.access import Access
from sagestone.s3_server.context import Context, wait_out


class Work:
    """Takes until it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go, self.is_done = threading.Event(), threading.Event(), False

    def __call__(self) -> str:
        self.begun.set()
        assert self.let_go.wait(60)
        self.is_done = True
        return "done"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    storage = open_storage(tmp_path)
    access = Access(None, storage.buckets, storage.seals, partition="aws", account="123456789012")
    with ThreadPoolExecutor(2) as threads:
        yield Context(
            storage=storage, access=access, region="us-east-1", clock=time.time, threads=threads, body_patience=60.0
        )
    storage.close()


async def _within_a_task(context: Context, work: Work) -> None:
    """As `receive` does while a body is still coming in."""
    task = asyncio.create_task(context.run(work))
    try:
        await asyncio.Event().wait()
    finally:
        await wait_out(task)


async def _at_once(context: Context, work: Work) -> None:
    await context.run(work)


@pytest.mark.parametrize("way", [_at_once, _within_a_task])
def test_however_often_it_is_cancelled_the_work_is_waited_for(
    context: Context, way: Callable[[Context, Work], Awaitable[None]]
) -> None:
    """A server that stops cancels its requests, and then all tasks that are left."""
    work = Work()

    async def cancel_it_twice() -> None:
        asking = asyncio.ensure_future(way(context, work))
        await asyncio.to_thread(work.begun.wait, 60)
        for _ in range(2):
            asking.cancel()
            for _ in range(20):  # rounds of the loop: all that follows from it has happened
                await asyncio.sleep(0)
        assert not asking.done()
        work.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert work.is_done

    asyncio.run(cancel_it_twice())


def test_what_it_gives_and_raises_comes_through(context: Context) -> None:
    assert asyncio.run(context.run(int, "7")) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(context.run(int, "x"))
