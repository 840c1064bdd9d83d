"""Placement: reserve instances for a job, start an agent on each, observe, stop.

Promises:

1. `reserve` gives all hosts of a job or none (None = wait: no capacity now), first come first served; a job that can
   never fit raises Impossible with the sentence for the user. A job that has its hosts gets the same ones again, also
   after a restart of the service.
2. `start` is idempotent per (job, instance): an agent that runs is left alone, one that told its outcome is never
   started again, one that died without is started again and takes up its container; never two.
3. `events` gives, in order, the events of a job's instances after the given seqs; a lost agent is told by `lost`.
4. `stop` is idempotent and returns at once; the instances end with an event.
   Hosts that were kept for a job that matches are given to it at once, past the queue.
5. `release` frees what was reserved and removes what the job left on the machine (containers, networks, directories),
   except its logs; idempotent. It waits for agents that told their outcome and still clean up; `is_ending` says, for
   as long as that is to be expected, that there are such.
6. While it is `draining` no job gets hosts that it does not have; who asks keeps a place in the queue.
7. `find` gives the keys of all jobs that have something on the machines, also from before a restart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sagestone.domain.assignment import Assignment, Limits
from sagestone.domain.event import InstanceEvent


class Impossible(Exception):
    """No machine here could ever hold this job; the text says what it asks and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Hosts for one job: the limits of each instance and the name of the network between them, which `start` makes."""

    job: str
    limits: Sequence[Limits]  # one per instance
    network: str | None
    runtime: str  # name of the runtime that will run it


class Placement(Protocol):
    """See the promises above. Called from one thread at a time per job."""

    def reserve(
        self, job: str, instance_types: Sequence[str], volume_gb: int, pool: str | None = None
    ) -> Reservation | None:
        """`instance_types` has the type of each instance, algo-1 first; kept hosts of the job `pool` are taken over."""
        ...

    def start(self, assignments: Sequence[Assignment]) -> None: ...

    def events(self, job: str, after: Mapping[int, int]) -> Sequence[InstanceEvent]: ...

    def lost(self, job: str) -> Sequence[int]:
        """Instances whose agent is gone without having told an outcome."""
        ...

    def stop(self, job: str, *, interrupted: bool = False) -> None:
        """`interrupted`: the instances are taken away, so they end as Interrupted and upload no artifacts."""
        ...

    def is_ending(self, job: str) -> bool: ...

    def release(self, job: str) -> None: ...

    def keep(self, job: str) -> None:
        """As `release`, but the hosts stay reserved, and warm, for a `reserve` that names the job as its pool."""
        ...

    @property
    def draining(self) -> bool: ...

    def find(self) -> Sequence[str]: ...

    def on_change(self, hint: Callable[[], None]) -> None:
        """Call `hint`, from any thread, when an instance may have something new to tell; looking is still allowed."""
        ...
