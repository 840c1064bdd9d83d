"""Who holds which part of the machine, and who waits: first come, first served within an account, accounts by turns.

All instances of a job or none. When several accounts wait, the turn is that of the one that was admitted longest ago,
and what its first job needs is left free for it: no account starves another, and no large job is overtaken for ever.
"""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sagestone.placement.capacity import Capacity
from sagestone.placement.gpus import free_gpus, with_gpus_told, with_own_gpus
from sagestone.placement.interface import Reservation

_ROUNDING = 1e-6  # shares of a third and the like

Hint = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What of a machine's capacity is reserved, by how many jobs and warm pools, and how many jobs wait."""

    capacity: Capacity
    cpus: float
    memory_bytes: int
    gpus: int
    holding: int
    waiting: int


class Books:
    """The books of one machine, which the ledgers of all accounts share. Used from any thread."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.lock = threading.RLock()
        self.ledgers: list[Ledger] = []
        self.counter = itertools.count(1)
        self.draining = False

    def drain(self, draining: bool) -> None:
        """Admit nobody as long as this is so; every account is told, so that warm pools end and queues go on again."""
        self.draining = draining
        for ledger in self.ledgers:
            ledger.tell()

    def fitted(self, wanted: Reservation) -> Reservation | None:
        """It with GPUs of its own, where all of it is free."""
        held = [each for ledger in self.ledgers for each in ledger.reservations()]
        all_limits = [limits for reservation in (*held, wanted) for limits in reservation.limits]
        if (
            sum(limits.cpus or 0.0 for limits in all_limits) > self.capacity.cpus + _ROUNDING
            or sum(limits.memory_bytes or 0 for limits in all_limits) > self.capacity.memory_bytes
        ):
            return None
        return with_own_gpus(wanted, free_gpus(self.capacity.gpus, held))

    def reserved(self) -> Reserved:
        """What is held now, and how many wait."""
        with self.lock:
            held = [each for ledger in self.ledgers for each in ledger.reservations()]
            waiting = sum(ledger.waiting for ledger in self.ledgers)
        all_limits = [limits for reservation in held for limits in reservation.limits]
        return Reserved(
            capacity=self.capacity,
            cpus=sum(limits.cpus or 0.0 for limits in all_limits),
            memory_bytes=sum(limits.memory_bytes or 0 for limits in all_limits),
            gpus=sum(limits.gpus for limits in all_limits),
            holding=len(held),
            waiting=waiting,
        )

    def turn(self) -> "Ledger | None":
        """The account whose first waiting job is next."""
        waiting = [ledger for ledger in self.ledgers if ledger.arrival is not None]
        return min(waiting, key=lambda ledger: (ledger.admitted, ledger.arrival), default=None)


class Ledger:
    """The part of the books that belongs to one account."""

    def __init__(self, books: Books, held: Mapping[str, Reservation]) -> None:
        self.books = books
        self._held = {job: with_gpus_told(each, books.capacity.gpus) for job, each in held.items()}
        self._waiting: dict[str, int] = {}  # job → when it came, in order
        self._on_turn: Hint | None = None
        self._give_way: Hint | None = None
        self.admitted = 0
        with books.lock:
            books.ledgers.append(self)

    @property
    def arrival(self) -> int | None:
        """When the job came that waits longest; None where none waits."""
        return next(iter(self._waiting.values()), None)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    def reserved(self) -> Reserved:
        """What of the machine is held now, by all accounts, and how many wait."""
        return self.books.reserved()

    def watch(self, on_turn: Hint, give_way: Hint) -> None:
        """Call `on_turn` when a job that waits may be admitted now, and `give_way` when a job of another account waits
        for what idle instances may hold. From any thread; they must not wait."""
        self._on_turn, self._give_way = on_turn, give_way

    def reservations(self) -> list[Reservation]:
        """All that the account holds."""
        return list(self._held.values())

    def held(self, job: str) -> Reservation | None:
        """What the job has already."""
        return self._held.get(job)

    def admit(self, wanted: Reservation) -> Reservation | None:
        """What the job holds now, its GPUs named, if it is its turn and all of it fits. Else it keeps its place."""
        with self.books.lock:
            self._waiting.setdefault(wanted.job, next(self.books.counter))
            if self.books.turn() is not self or next(iter(self._waiting)) != wanted.job:
                return None
            if self.books.draining:
                return None
            fitted = self.books.fitted(wanted)
            if fitted is None:
                self._ask_others_to_give_way()
                return None
            self.admitted = next(self.books.counter)
            self._held[wanted.job] = fitted
            self._waiting.pop(wanted.job)
        self._tell_next()
        return fitted

    def pass_on(self, pool: str, reservation: Reservation) -> None:
        """What `pool` held is held by the job of that reservation now."""
        with self.books.lock:
            self._held.pop(pool, None)
            self._held[reservation.job] = reservation
            self._waiting.pop(reservation.job, None)
        self._tell_next()

    def free(self, job: str) -> None:
        """The job holds nothing and waits for nothing any more; idempotent."""
        with self.books.lock:
            known = self._held.pop(job, None) is not None
            known = self._waiting.pop(job, None) is not None or known
        if known:
            self._tell_next()

    def tell(self) -> None:
        """There may be something to do for the account's controller."""
        if self._on_turn is not None:
            self._on_turn()

    def _tell_next(self) -> None:
        """Another account may have its turn now; within an account its own controller looks."""
        with self.books.lock:
            following = self.books.turn()
        if following is not None and following is not self:
            following.tell()

    def _ask_others_to_give_way(self) -> None:
        for ledger in self.books.ledgers:
            if ledger is not self and ledger._give_way is not None:
                ledger._give_way()
