"""The warm pools of one controller: kept while they may be, claimed by jobs that match, given up for jobs that wait."""

from collections.abc import Callable
from typing import Literal, cast

from sagestone.control.recovery import claimed_pools
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import TransitionRefused, end_pool, matches, reuse_pool
from sagestone.domain.warm_pool import WarmPool
from sagestone.placement.interface import Placement
from sagestone.store.interface import NotFound, Store


class WarmPools:
    """Used by one thread. What is Available stands in the store; here is only what was told to the placement."""

    def __init__(
        self, store: Store, placement: Placement, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._store, self._placement, self._clock, self._monotonic = store, placement, clock, monotonic
        self._kept: dict[str, float] = {}  # since when, by the clock that nobody sets back
        self._claimed: dict[str, str] | None = None  # by job, as long as it has no room; None: nobody has looked yet

    def keep(self, job: TrainingJob) -> Literal["kept", "over"]:
        """Keep the instances of a job whose pool is Available, or end it: by its time, or as the machine is drained."""
        key = job.spec.key
        if self._placement.draining or (job.warm_pool is not None and self._is_over(key, job.warm_pool)):
            self._end(key)
            return "over"
        if key not in self._kept:
            self._placement.keep(key)
            self._kept[key] = self._monotonic()
        return "kept"

    def claim(self, job: TrainingJob) -> str | None:
        """The key of a pool that the job takes over: the oldest that matches. It is Reused from then on.

        Asked again before the job has its room, also after a restart, the answer is the same.
        """
        claimed = self._claims()
        if job.spec.key in claimed:
            return claimed[job.spec.key]
        for name in self._store.warm_pools():
            kept = self._store.training_job(name)
            if kept is None or not matches(kept.spec, job.spec) or self.keep(kept) == "over":
                continue  # keeping it first puts away what its own job has left
            try:
                self._store.change_job(
                    kept.spec.key, lambda known: reuse_pool(cast(TrainingJob, known), job.spec.name, self._clock())
                )
            except (NotFound, TransitionRefused):
                continue  # it ended since we looked
            self._kept.pop(kept.spec.key, None)
            claimed[job.spec.key] = kept.spec.key
            return kept.spec.key
        return None

    def taken_over(self, job: str) -> None:
        """The job has its room: of what it claimed nothing is left."""
        self._claims().pop(job, None)

    def give_back(self, job: str) -> None:
        """The job wants no room any more: what it has claimed and not taken over is put away."""
        pool = self._claims().pop(job, None)
        if pool is not None:
            self._placement.release(pool)

    def _claims(self) -> dict[str, str]:
        if self._claimed is None:
            self._claimed = dict(claimed_pools(self._store, self._placement.find()))
        return self._claimed

    def give_way(self) -> bool:
        """End the oldest pool, for a job that waits for room; whether there was one."""
        pools = self._store.warm_pools()
        if not pools:
            return False
        key = f"training/{pools[0]}"
        self._end(key)
        self._placement.release(key)
        return True

    def _end(self, key: str) -> None:
        self._store.change_job(key, lambda known: end_pool(cast(TrainingJob, known), self._clock()))
        self._kept.pop(key, None)

    def _is_over(self, key: str, pool: WarmPool) -> bool:
        """By the time of day, which goes on where nobody looks; also where it was set back since."""
        since = self._kept.get(key)
        if since is not None and self._monotonic() - since >= pool.keep_alive_seconds:
            return True
        return pool.has_expired(self._clock())
