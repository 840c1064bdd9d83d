"""What a service puts away when it starts: the leavings of an earlier life that no row needs any more."""

from collections.abc import Iterable, Mapping

from sagestone.placement.interface import Placement
from sagestone.store.interface import Store


def unneeded(store: Store, placement: Placement) -> list[str]:
    """Keys of jobs that have something on the machines and that no unfinished row needs.

    They ended and were not put away yet, or they were never stored.
    """
    return leavings(store, placement.find(), store.unfinished_jobs())


def leavings(store: Store, found: Iterable[str], jobs: Iterable[str]) -> list[str]:
    """Of the keys found on the machines those that none of the unfinished jobs needs, itself or as its warm pool."""
    unfinished = set(jobs)
    others = [key for key in found if key not in unfinished]
    claimed = {pool for job, pool in claimed_pools(store, others).items() if job in unfinished}
    return [key for key in others if key not in claimed]


def claimed_pools(store: Store, found: Iterable[str]) -> Mapping[str, str]:
    """The warm pools among the keys that were Reused by jobs which never got their room, by the keys of those jobs.

    A service may die between saying so and giving the job the pool's room.
    """
    claimed = {}
    for key in found:
        kind, _, name = key.partition("/")
        job = store.training_job(name) if kind == "training" else None
        pool = None if job is None else job.warm_pool
        if pool is None or pool.status != "Reused" or pool.reused_by is None:
            continue
        by = store.training_job(pool.reused_by)
        if by is not None and by.runtime is None:
            claimed[by.spec.key] = key
    return claimed
