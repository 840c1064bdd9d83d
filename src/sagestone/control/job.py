"""Carries one training or transform job a step further: reserve, assign, start, follow, finish, put away.

Both kinds take the same way; what differs lies in their documents. At most one side effect happens each time, its
result is stored before the next, and what is cleaned up is cleaned up after the job's end is stored.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from sagestone.control.job_log import tell_change
from sagestone.control.progress import Progress
from sagestone.control.warm_pools import WarmPools
from sagestone.domain.assign import Patience, assign
from sagestone.domain.assignment import Assignment
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import (
    begin_run,
    end_pool,
    end_wait,
    exceeds_wait,
    fail,
    finish_stopping,
    place,
    wait_for_capacity,
)
from sagestone.domain.transition.instances import should_stop
from sagestone.placement.interface import Impossible, Placement, Reservation
from sagestone.store.interface import Orphan, Store

_LOG = logging.getLogger(__name__)

Job = TrainingJob | TransformJob

#: How often the agent of an instance is started again before its job fails, and the first wait before it.
RESTARTS = 3
_RESTART_SECONDS = 0.2

INTERNAL = "We encountered an internal error. Please try again."


@dataclass(slots=True)
class _Work:
    """What is known of a job that has its instances; lost with the process, and found out again."""

    reservation: Reservation | None = None
    started: bool = False
    stop_told: bool = False
    restarts: dict[int, int] = field(default_factory=dict)
    not_before: dict[int, float] = field(default_factory=dict)


class JobReconciler:
    """Used by one thread. `clock` gives epoch seconds, `monotonic` seconds that nobody sets back."""

    def __init__(
        self,
        store: Store,
        placement: Placement,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        region: str,
        patience: Patience,
    ) -> None:
        self._store, self._placement, self._clock, self._monotonic = store, placement, clock, monotonic
        self._region, self._patience = region, patience
        self._work: dict[str, _Work] = {}
        self._pools = WarmPools(store, placement, clock, monotonic)

    def reconcile(self, key: str, holder: str) -> Progress:
        """One step; `holder` has the lease on it. A job that has ended, or that no row knows, is put away."""
        job = self._job(key)
        if isinstance(job, TrainingJob) and job.warm_pool is not None and job.warm_pool.status == "Available":
            return self._keep_warm(job)
        if job is None or job.finished:
            self._pools.give_back(key)
            progress = self._put_away(key)
            if progress == "done" and job is not None and job.status == "Deleting":
                self._store.remove_job(key, holder)  # last: as long as the row is there, its name is taken
            return progress
        if isinstance(job, TrainingJob) and job.run_over:
            return self._run_again(key, holder)
        if isinstance(job, TrainingJob) and exceeds_wait(job, self._clock()):
            self._change_training(key, lambda known: end_wait(known, self._clock()), holder)
            return "moved"
        work = self._work.setdefault(key, _Work())
        if job.runtime is None:
            return self._find_room(job, work, holder)
        if not work.started:
            return self._start(job, work)
        return self._follow(job, work, holder)

    def give_up(self, key: str) -> None:
        """The job fails for a reason that is ours; it is put away at the next step."""
        job = self._job(key)
        if job is not None and not job.finished:
            self._fail(job, Failure(fault="internal", message=INTERNAL), None)

    def give_way(self) -> bool:
        """End the oldest warm pool, for whoever waits for room; whether there was one."""
        return self._pools.give_way()

    def abandon(self, orphan: Orphan, holder: str) -> None:
        """End a job whose service is gone; where it has retries left it waits for room anew."""
        job, now = self._job(orphan.key), self._clock()
        if job is None:
            return
        if isinstance(job, TrainingJob) and job.warm_pool is not None and job.warm_pool.status == "Available":
            self._change_training(orphan.key, lambda known: end_pool(known, now), holder)
        elif job.status == "Deleting":
            self._store.remove_job(orphan.key, holder)
        elif not job.finished:
            if not (isinstance(job, TrainingJob) and job.run_over):
                self._fail(job, Failure(fault="internal", message=_gone(orphan)), holder)
            if isinstance(job, TrainingJob):
                self._change_training(orphan.key, lambda known: begin_run(known, now), holder)

    def put_away_here(self, key: str) -> bool:
        """Take away what a job has on this machine, whoever carries it on; whether nothing is left."""
        return self._put_away(key) == "done"

    def waits_for_room(self, key: str) -> bool:
        """Whether it was looked at and has no instances here."""
        work = self._work.get(key)
        return work is not None and work.reservation is None

    def waiting_for_room(self) -> set[str]:
        """All such."""
        return {key for key in self._work if self.waits_for_room(key)}

    def forget(self, key: str) -> None:
        """Another controller has it now."""
        self._work.pop(key, None)

    def _job(self, key: str) -> Job | None:
        kind, _, name = key.partition("/")
        if kind == "training":
            return self._store.training_job(name)
        return self._store.transform_job(name) if kind == "transform" else None

    def _find_room(self, job: Job, work: _Work, holder: str) -> Progress:
        key = job.spec.key
        if job.status == "Stopping":
            tell_change(job, self._store.change_job(key, lambda known: finish_stopping(known, self._clock()), holder))
            return "moved"
        try:
            reservation = self._reserve(job)
        except Impossible as error:
            self._fail(job, Failure(fault="client", message=str(error)), holder)
            return "moved"
        now = self._clock()
        if reservation is None:
            if self._pools.give_way():
                return "moved"
            if wait_for_capacity(job, now) is not job:
                tell_change(job, self._store.change_job(key, lambda known: wait_for_capacity(known, now), holder))
            return "waiting" if _may_tire(job) else "queued"
        work.reservation = reservation
        runtime = reservation.runtime
        self._store.change_job(key, lambda known: place(known, runtime, now), holder)
        self._pools.taken_over(key)
        return "moved"

    def _start(self, job: Job, work: _Work) -> Progress:
        """Start the agents; after a restart of the service this finds those that run and leaves them alone."""
        reservation = self._reservation(job, work)
        if reservation is None:
            return "waiting"
        self._placement.start(self._assignments(job, reservation))
        work.started = True
        return "moved"

    def _follow(self, job: Job, work: _Work, holder: str) -> Progress:
        key = job.spec.key
        if not work.stop_told and isinstance(job, TrainingJob) and job.interrupting:
            self._placement.stop(key, interrupted=True)
            work.stop_told = True
        if not work.stop_told and (job.status == "Stopping" or should_stop(job.instances)):
            self._placement.stop(key)
            work.stop_told = True
        lost = self._placement.lost(key)  # before the events: one that ends in between has told its outcome
        seqs = {number: instance.seq for number, instance in enumerate(job.instances, start=1)}
        events = self._placement.events(key, seqs)
        if events:
            tell_change(job, self._store.apply_events(events, holder))
            return "moved"
        return self._start_again(job, work, [number for number in lost if number <= len(seqs)], holder)

    def _start_again(self, job: Job, work: _Work, lost: list[int], holder: str) -> Progress:
        now = self._monotonic()
        lost = [number for number in lost if now >= work.not_before.get(number, now)]
        if not lost:
            return "running"
        tired = [number for number in lost if work.restarts.get(number, 0) >= RESTARTS]
        if tired:
            text = f"The agent of algo-{tired[0]} ended {RESTARTS + 1} times without telling how its instance ended."
            self._fail(job, Failure(fault="internal", message=text), holder)
            return "moved"
        reservation = self._reservation(job, work)
        if reservation is None:
            return "waiting"
        assignments = self._assignments(job, reservation)
        self._placement.start([assignments[number - 1] for number in lost])  # where it raises, none is counted
        for number in lost:
            count = work.restarts[number] = work.restarts.get(number, 0) + 1
            work.not_before[number] = now + _RESTART_SECONDS * 2.0**count
            _LOG.warning("%s: the agent of algo-%d is started again (%d of %d)", job.spec.key, number, count, RESTARTS)
        return "running"

    def _reservation(self, job: Job, work: _Work) -> Reservation | None:
        if work.reservation is None:
            work.reservation = self._reserve(job)
        return work.reservation

    def _reserve(self, job: Job) -> Reservation | None:
        if isinstance(job, TransformJob):
            return self._placement.reserve(job.spec.key, job.spec.instance_types, 0)
        pool = self._pools.claim(job) if job.runtime is None else None
        return self._placement.reserve(job.spec.key, job.spec.instance_types, job.spec.volume_gb, pool)

    def _keep_warm(self, job: TrainingJob) -> Progress:
        if self._placement.is_ending(job.spec.key):
            return "ending"
        self._work.pop(job.spec.key, None)
        return "moved" if self._pools.keep(job) == "over" else "waiting"

    def _assignments(self, job: Job, reservation: Reservation) -> tuple[Assignment, ...]:
        return assign(
            job,
            limits=reservation.limits,
            network=reservation.network,
            region=self._region,
            patience=self._patience,
        )

    def _fail(self, job: Job, failure: Failure, holder: str | None) -> None:
        tell_change(
            job, self._store.change_job(job.spec.key, lambda known: fail(known, failure, self._clock()), holder)
        )

    def _run_again(self, key: str, holder: str) -> Progress:
        """Put away what the run before left, then begin the next: done twice, the second time changes nothing."""
        progress = self._put_away(key)
        if progress != "done":
            return progress
        self._change_training(key, lambda known: begin_run(known, self._clock()), holder)
        return "moved"

    def _change_training(self, key: str, change: Callable[[TrainingJob], TrainingJob], holder: str) -> None:
        self._store.change_job(key, lambda known: change(cast(TrainingJob, known)), holder)

    def _put_away(self, key: str) -> Progress:
        if self._placement.is_ending(key):
            return "ending"
        self._placement.release(key)
        self._work.pop(key, None)
        return "done"


def _may_tire(job: Job) -> bool:
    """Whether it waits for a limited time only."""
    limits = (job.spec.max_wait_seconds, job.spec.max_pending_seconds) if isinstance(job, TrainingJob) else ()
    return any(limit is not None for limit in limits)


def _gone(orphan: Orphan) -> str:
    heard = datetime.fromtimestamp(orphan.heard_at, UTC).isoformat(timespec="seconds")
    return f"The service on {orphan.host}, which ran the job, is gone: it was last heard of at {heard}."
