"""What the pump's thread does: claims what is unfinished and carries it on, step by step, until it is finished.

It sleeps without a timer when nothing is unfinished, looks for news of running instances a few dozen times a second,
and never waits for a job. An error in one job is logged, tried again with growing waits, and at last ends that job;
the others do not notice.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sagestone.control.backoff import Backoff
from sagestone.control.backoff import Patience as RetryPatience
from sagestone.control.job import INTERNAL, JobReconciler
from sagestone.control.leases import Leases
from sagestone.control.neighbourhood import Neighbourhood
from sagestone.control.pace import Pace
from sagestone.control.progress import Progress
from sagestone.control.pump import Breath, Pump
from sagestone.control.recovery import unneeded
from sagestone.control.room import wants_room
from sagestone.control.validated import KINDS, ValidatedReconciler
from sagestone.control.waiting_room import WaitingRoom
from sagestone.domain.assign import Patience
from sagestone.placement.interface import Placement
from sagestone.store.interface import LeaseLost, Store, StoreUnavailable

_LOG = logging.getLogger(__name__)

_PUT_AWAY_SECONDS = 5.0
#: Keys under which errors are counted that belong to no job.
_RECOVERY = "recovery"
_LEASES = "leases"
_WAY = "give way"
_NO_JOBS = frozenset({_RECOVERY, _LEASES, _WAY})
#: How the keys of what is validated begin; all others are jobs'.
_VALIDATED = tuple(f"{kind}/" for kind in KINDS)


class Controller:
    """Carries algorithms, model packages and jobs on.

    `holder` is a word that no other controller has; `alone` voids old leases.
    """

    def __init__(
        self,
        store: Store,
        placement: Placement,
        *,
        region: str,
        holder: str,
        patience: Patience | None = None,
        retry: RetryPatience | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        lease_seconds: float = 30.0,
        alone: bool = True,
    ) -> None:
        self._store, self._placement, self._monotonic, self._alone = store, placement, monotonic, alone
        self._jobs = JobReconciler(
            store, placement, clock=clock, monotonic=monotonic, region=region, patience=patience or Patience()
        )
        self._validated = ValidatedReconciler(store, clock)
        self._leases = Leases(store, holder, monotonic, lease_seconds)
        self._backoff = Backoff(retry or RetryPatience())
        self._pace = Pace()
        self._waiting_room = WaitingRoom(store)
        self._running: set[str] = set()  # jobs whose instances are to be looked at
        self._ending: set[str] = set()  # those of them that are over and still to be put away
        self._look_at = math.inf  # when to look at everything without a hint: leases are to be renewed
        self._recovered = False
        self._neighbourhood = (
            Neighbourhood(store, placement, self._jobs, self._leases, self._waiting_room) if store.is_shared() else None
        )
        self._sweeping = False
        self._pump = Pump(self.round, self._end, monotonic)
        placement.on_change(self._pump.stir)
        store.watch(self._pump.hear)

    def start(self) -> None:
        """Begin, with recovery first; returns at once."""
        self._pump.start()

    def hint(self) -> None:
        """Something new is in the store: look now. From any thread; never waits."""
        self._pump.hint()

    def sweep(self) -> None:
        """Put away, soon, what lies on the machines and belongs to no unfinished job."""
        self._sweeping = True
        self._pump.hint()

    def breath(self) -> Breath:
        """How the pump is; from any thread."""
        return self._pump.breath(self._backoff.failing())

    def give_way(self) -> None:
        """Another account's job waits for room: give up a warm pool. From any thread; never waits."""
        self._pump.give_way()

    def stop(self, timeout: float = 10.0) -> bool:
        """End the pump; True when it ended in time. Running jobs go on without it, and the next start finds them."""
        return self._pump.stop(timeout)

    def round(self) -> float | None:
        """Do what can be done now; seconds until there may be more without a hint, None: only after one.

        The pump's thread calls it over and over; a test may call it instead of `start`.
        """
        told = self._pump.take()
        everything = told.hinted
        now = self._monotonic()
        if told.by_another:
            self._look_at = now
        due = self._backoff.due(now)
        if not self._recovered:
            everything = self._guard(_RECOVERY, self._recover) or everything
        elif self._sweeping:
            everything = self._guard(_RECOVERY, self._sweep) or everything
        if told.give_way:
            self._guard(_WAY, self._jobs.give_way)
        jobs_due = [key for key in due if key not in _NO_JOBS and not key.startswith(_VALIDATED)]
        if now >= self._look_at:
            everything = True
            self._validated.wake_all()
        everything = everything or len(jobs_due) < len(due)
        jobs = [*self._unfinished_jobs(), *sorted(self._ending)] if everything else sorted(self._running)
        freed = self._carry_on_jobs([*jobs, *jobs_due])
        if everything or freed:
            self._carry_on_all([key for key in due if key.startswith(_VALIDATED)], freed)
        return self._wait_seconds()

    def _end(self) -> None:
        self._put_away_what_ends()
        self._guard(_LEASES, self._leases.drop_all)

    def _put_away_what_ends(self) -> None:
        """At a stop: jobs that are over leave nothing behind, if their agents are gone soon."""
        deadline = time.monotonic() + _PUT_AWAY_SECONDS
        while self._ending and time.monotonic() < deadline:
            self._carry_on_jobs(sorted(self._ending))
            time.sleep(0.02)

    def _recover(self) -> bool:
        if self._alone:
            self._store.void_leases()
        self._sweep()
        self._recovered = True
        return True

    def _sweep(self) -> bool:
        self._sweeping = False
        if self._neighbourhood is None:
            return self._carry_on_jobs(unneeded(self._store, self._placement))
        self._neighbourhood.look()
        return True

    def _unfinished_jobs(self) -> Sequence[str]:
        """Those that are ours to carry on."""
        if self._neighbourhood is None:
            return self._store.unfinished_jobs()
        return self._neighbourhood.unfinished_jobs(self._guard)

    def _carry_on_all(self, due: Sequence[str], freed: bool) -> None:
        """What is validated and jobs by turns, until neither gives the other something to do."""
        moved = True
        while moved:
            moved = False
            for key in dict.fromkeys([*self._store.unfinished_resources(), *due]):
                moved = self._guard(key, partial(self._carry_on_validated, key)) or moved
            due = ()
            if moved or freed:
                freed = self._carry_on_jobs(self._store.unfinished_jobs())
                moved = freed
        unfinished = self._store.unfinished_resources() or self._store.unfinished_jobs()
        self._look_at = self._monotonic() + self._leases.seconds / 3 if unfinished or self._neighbourhood else math.inf

    def _carry_on_jobs(self, keys: Iterable[str]) -> bool:
        """Whether one of them is over or was put away: its algorithm may have a next step, and others room now."""
        freed = False
        self._waiting_room.begin()
        for key in dict.fromkeys(keys):
            if not self._waiting_room.passes_over(key):
                freed = self._guard(key, partial(self._carry_on_job, key)) or freed
        return freed

    def _carry_on_job(self, key: str) -> bool:
        """Whether it is over since now, or was put away."""
        progress: Progress = "waiting"
        if self._leases.hold(key):
            progress = self._until_still(lambda: self._jobs.reconcile(key, self._leases.holder))
        else:
            if self._neighbourhood is not None:
                self._neighbourhood.leave_queue(key)
            self._jobs.forget(key)
        was_over = key in self._ending
        (self._running.add if progress in ("running", "ending") else self._running.discard)(key)
        (self._ending.add if progress == "ending" else self._ending.discard)(key)
        self._waiting_room.note(key, progress)
        if progress == "done" or (self._neighbourhood is not None and self._jobs.waits_for_room(key)):
            self._leases.drop(key)  # where it waits, another service may have room
        if progress in ("done", "ending"):
            self._validated.wake_for(key)
        return progress == "done" or (progress == "ending" and not was_over)

    def _carry_on_validated(self, key: str) -> bool:
        """Whether it moved."""
        if self._validated.waits(key) or not self._leases.hold(key):
            return False
        steps: list[Progress] = []

        def step() -> Progress:
            steps.append(self._validated.reconcile(key, self._leases.holder))
            return steps[-1]

        if self._until_still(step) == "done":
            self._leases.drop(key)
        return len(steps) > 1

    def _until_still(self, step: Callable[[], Progress]) -> Progress:
        progress = step()
        while progress == "moved":
            self._pace.quicken()
            progress = step()
        return progress

    def _guard(self, key: str, act: Callable[[], bool | None]) -> bool:
        """What `act` says; an error is kept to `key`, which is tried again later and given up at last."""
        if not self._backoff.is_due(key, self._monotonic()):
            return False
        try:
            told = bool(act())
        except LeaseLost as error:
            _LOG.warning("%s is carried on by another controller: %s", key, error)
            self._leases.lost(key)
            self._jobs.forget(key)
            self._running.discard(key)
            self._ending.discard(key)
            self._sweeping = self._sweeping or self._neighbourhood is not None
            told = False
        except StoreUnavailable:
            raise  # no fault of this one
        except Exception as error:  # noqa: BLE001 (logged with its traceback; the others must go on)
            if wants_room(error):
                if self._backoff.put_off(key, self._monotonic()):
                    _LOG.error("%s waits for room on a disk that is full: %s", key, error)
                return False
            count = self._backoff.failed(key, self._monotonic())
            _LOG.exception("%s could not be carried on (%d times in a row)", key, count)
            if self._backoff.is_exhausted(key):
                self._give_up(key)
            return False
        self._backoff.forget(key)
        return told

    def _give_up(self, key: str) -> None:
        _LOG.error("%s is given up", key)
        try:
            if key.startswith(_VALIDATED):
                self._validated.give_up(key, f"Internal error: {INTERNAL}")
            elif key not in _NO_JOBS:
                self._jobs.give_up(key)
        except Exception:  # noqa: BLE001 (logged with its traceback; it is tried again)
            _LOG.exception("%s could not even be given up; it is tried again", key)

    def _wait_seconds(self) -> float | None:
        now = self._monotonic()
        waits = [self._pace.next_seconds()] if self._running else []
        waits += [max(0.0, self._look_at - now)] if self._look_at < math.inf else []
        retry_at = self._backoff.next_at()
        waits += [max(0.0, retry_at - now)] if retry_at is not None else []
        return min(waits, default=None)
