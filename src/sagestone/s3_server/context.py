"""What every S3 operation works with."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from sagestone.s3.storage.storage import Storage
from sagestone.s3_server.access import Access

P = ParamSpec("P")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The store, who may use what of it, where it stands, the clock (epoch seconds), threads for blocking work, and how
    many seconds a client may let a body stand still."""

    storage: Storage
    access: Access
    region: str
    clock: Callable[[], float]
    threads: Executor
    body_patience: float

    async def run(self, work: Callable[P, Outcome], *args: P.args, **kwargs: P.kwargs) -> Outcome:
        """Do blocking work in a thread. It is not cut off when the caller is: wait for it, then be cancelled."""
        future = asyncio.get_running_loop().run_in_executor(self.threads, lambda: work(*args, **kwargs))
        await wait_out(future)
        return future.result()


async def wait_out(work: "asyncio.Future[Any]") -> None:
    """Wait until the work is done, however often the caller is cancelled meanwhile; then be cancelled.

    A server that stops cancels twice. Whoever gave the work a file closes it afterwards, and then its number is free.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not work.cancelled():
            work.exception()  # nobody else asks for it: asyncio would complain
        raise cancelled
