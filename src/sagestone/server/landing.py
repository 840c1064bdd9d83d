"""Brings the loop what other threads have finished: what is finished together wakes it once."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any


class Landing:
    """Of one loop, which must run."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._landed: deque[asyncio.Future[None]] = deque()
        self._waking = False

    async def done(self, future: "Future[Any]") -> None:
        """Return once it is done, whatever came of it; who waits may be cancelled, the future is not."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        future.add_done_callback(lambda _: self._land(waiter))
        await waiter

    def _land(self, waiter: "asyncio.Future[None]") -> None:
        """From any thread. `_wake` says first that it is awake and looks then, so nothing is left lying."""
        self._landed.append(waiter)
        if not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._waking = False
        while self._landed:
            waiter = self._landed.popleft()
            if not waiter.done():
                waiter.set_result(None)
