"""A placement whose instances are scripted, to inject what no real one does on demand: loss, refusal, errors.

What it "did on the machine" outlives a controller, as containers do; a test may end a controller at any call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sagestone.domain.assignment import Assignment, Limits
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.placement.interface import Impossible, Reservation
from tests.documents import event

OK = Outcome(ending="Completed", exit_code=0)

#: Makes the events of an instance from its job's key, its number and whether it was asked to stop.
Script = Callable[[str, int, bool], Sequence[InstanceEvent]]


def completed(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
    """All stages, then Completed; or Stopped as soon as that was asked."""
    at = 2000.0 + number
    outcome = Outcome(ending="Stopped") if stopping else OK
    return [
        event(key, 1, at, instance=number, stage="Starting"),
        event(key, 2, at + 1, instance=number, stage="Downloading"),
        event(key, 3, at + 2, instance=number, stage="Training"),
        event(key, 4, at + 3, instance=number, stage="Uploading"),
        event(key, 5, at + 4, instance=number, outcome=outcome),
    ]


def until_stopped(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
    """Trains until it is asked to stop."""
    return completed(key, number, stopping)[: None if stopping else 3]


class FaultPlacement:
    """In memory. `before_call` may raise; each instance tells one more event at every look."""

    def __init__(self, script: Script = completed, room: int = 1000) -> None:
        self.script, self.room = script, room
        self.draining = False
        self.impossible: set[str] = set()
        self.before_call: Callable[[str, str], None] = lambda call, key: None
        self.reserved: dict[str, Reservation] = {}
        self.starts: dict[tuple[str, int], int] = {}  # agents that were really started
        self.told: dict[tuple[str, int], list[InstanceEvent]] = {}
        self.dead: set[tuple[str, int]] = set()
        self.stopped: set[str] = set()
        self.interrupted: set[str] = set()
        self.released: list[str] = []
        self.lingering: dict[str, int] = {}  # how many looks the agents of a job that is over outlast
        self.kept: list[str] = []
        self.taken_over: list[tuple[str, str]] = []

    def reserve(
        self, job: str, instance_types: Sequence[str], volume_gb: int, pool: str | None = None
    ) -> Reservation | None:
        self.before_call("reserve", job)
        if pool in self.reserved and job not in self.reserved:
            self.reserved[job] = self.reserved.pop(pool)
            self.taken_over.append((pool, job))
        if job in self.impossible:
            raise Impossible("the machine is too small")
        if job not in self.reserved:
            if sum(len(held.limits) for held in self.reserved.values()) + len(instance_types) > self.room:
                return None
            limits = [Limits()] * len(instance_types)
            self.reserved[job] = Reservation(job=job, limits=limits, network=None, runtime="sandbox")
        return self.reserved[job]

    def start(self, assignments: Sequence[Assignment]) -> None:
        for assignment in assignments:
            self.before_call("start", assignment.job.key)
            place = (assignment.job.key, assignment.host.number)
            if place not in self.told or (place in self.dead and not self._has_ended(place)):
                self.starts[place] = self.starts.get(place, 0) + 1
                self.told.setdefault(place, [])
                self.dead.discard(place)

    def events(self, job: str, after: Mapping[int, int]) -> Sequence[InstanceEvent]:
        self.before_call("events", job)
        found: list[InstanceEvent] = []
        for (key, number), told in self._instances(job):
            rest = self.script(job, number, job in self.stopped)[len(told) :]
            if rest and (key, number) not in self.dead:
                told.append(rest[0])
            found += [one for one in told if one.seq > after.get(number, 0)]
        return found

    def lost(self, job: str) -> Sequence[int]:
        self.before_call("lost", job)
        return [place[1] for place, _ in self._instances(job) if place in self.dead and not self._has_ended(place)]

    def stop(self, job: str, *, interrupted: bool = False) -> None:
        self.before_call("stop", job)
        self.stopped.add(job)
        if interrupted:
            self.interrupted.add(job)

    def is_ending(self, job: str) -> bool:
        self.before_call("is_ending", job)
        self.lingering[job] = left = self.lingering.get(job, 0) - 1
        return left >= 0

    def release(self, job: str) -> None:
        self.before_call("release", job)
        self.released.append(job)
        self.reserved.pop(job, None)
        self.stopped.discard(job)
        self.interrupted.discard(job)
        for place, _ in list(self._instances(job)):
            self.told.pop(place)
            self.dead.discard(place)

    def keep(self, job: str) -> None:
        self.before_call("keep", job)
        self.kept.append(job)
        for place, _ in list(self._instances(job)):
            self.told.pop(place)

    def find(self) -> Sequence[str]:
        self.before_call("find", "")
        return sorted({*self.reserved, *(key for key, _ in self.told)})

    def on_change(self, hint: Callable[[], None]) -> None:
        self.hint = hint

    def _instances(self, job: str) -> Iterator[tuple[tuple[str, int], list[InstanceEvent]]]:
        return iter([(place, told) for place, told in sorted(self.told.items()) if place[0] == job])

    def _has_ended(self, place: tuple[str, int]) -> bool:
        return any(one.outcome is not None for one in self.told.get(place, ()))
