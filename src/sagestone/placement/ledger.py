"""Who holds which part of the machine, and who waits: first come, first served, all instances of a job or none."""

from collections.abc import Mapping
from dataclasses import dataclass

from sagestone.placement.capacity import Capacity
from sagestone.placement.interface import Reservation

_ROUNDING = 1e-6  # shares of a third and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What of a machine's capacity is reserved, by how many jobs and warm pools, and how many jobs wait."""

    capacity: Capacity
    cpus: float
    memory_bytes: int
    gpus: int
    holding: int
    waiting: int


class Ledger:
    """The books of one machine; used under its owner's lock."""

    def __init__(self, capacity: Capacity, held: Mapping[str, Reservation]) -> None:
        self._capacity = capacity
        self._held = dict(held)
        self._waiting: list[str] = []

    def held(self, job: str) -> Reservation | None:
        """What the job has already."""
        return self._held.get(job)

    def admits(self, wanted: Reservation) -> bool:
        """Whether it is this job's turn and all of it fits; a job that is told no keeps its place in the queue."""
        if wanted.job not in self._waiting:
            self._waiting.append(wanted.job)
        return self._waiting[0] == wanted.job and self._fits(wanted)

    def reserved(self) -> Reserved:
        """What is held now, and how many wait."""
        all_limits = [limits for reservation in self._held.values() for limits in reservation.limits]
        return Reserved(
            capacity=self._capacity,
            cpus=sum(limits.cpus or 0.0 for limits in all_limits),
            memory_bytes=sum(limits.memory_bytes or 0 for limits in all_limits),
            gpus=sum(limits.gpus for limits in all_limits),
            holding=len(self._held),
            waiting=len(self._waiting),
        )

    def hold(self, reservation: Reservation) -> None:
        """Write it into the books."""
        self._held[reservation.job] = reservation
        self._leave_queue(reservation.job)

    def pass_on(self, pool: str, reservation: Reservation) -> None:
        """What `pool` held is held by the job of that reservation now."""
        self._held.pop(pool, None)
        self.hold(reservation)

    def free(self, job: str) -> None:
        """The job holds nothing and waits for nothing any more; idempotent."""
        self._held.pop(job, None)
        self._leave_queue(job)

    def _fits(self, wanted: Reservation) -> bool:
        all_limits = [limits for reservation in (*self._held.values(), wanted) for limits in reservation.limits]
        return (
            sum(limits.cpus or 0.0 for limits in all_limits) <= self._capacity.cpus + _ROUNDING
            and sum(limits.memory_bytes or 0 for limits in all_limits) <= self._capacity.memory_bytes
            and sum(limits.gpus for limits in all_limits) <= self._capacity.gpus
        )

    def _leave_queue(self, job: str) -> None:
        if job in self._waiting:
            self._waiting.remove(job)
