"""What every S3 operation works with."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

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
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise
