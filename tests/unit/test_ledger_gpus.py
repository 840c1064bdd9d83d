"""Every GPU belongs to one host of one job, whatever comes, goes, is passed on or is read again after a crash."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from sagestone.containers.machine import gpu_uuids
from sagestone.domain.assignment import Limits
from sagestone.placement.capacity import Capacity
from sagestone.placement.interface import Reservation
from sagestone.placement.job_directories import JobDirectories
from sagestone.placement.ledger import Books, Ledger

GPUS = ("GPU-a", "GPU-b", "GPU-c", "GPU-d", "GPU-e")


def wanted(job: str, gpus: Sequence[int]) -> Reservation:
    limits = [Limits(cpus=0.1, memory_bytes=1, gpus=count) for count in gpus]
    return Reservation(job=job, limits=limits, network=None, runtime="docker")


def books(gpus: Sequence[str] = GPUS) -> Books:
    return Books(Capacity(cpus=100.0, memory_bytes=1 << 20, gpus=tuple(gpus)))


def held_by(reservation: Reservation | None) -> list[tuple[str, ...]]:
    assert reservation is not None
    return [limits.gpu_uuids for limits in reservation.limits]


class Machine(RuleBasedStateMachine):
    """Jobs of two accounts on one machine with five GPUs, whose service dies now and then."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.disk: dict[str, tuple[int, bytes]] = {}  # what the jobs' directories hold
        self.count = 0
        self.restart()

    @rule()
    def restart(self) -> None:
        self.books = books()
        held: tuple[dict[str, Reservation], ...] = ({}, {})
        for job, (account, text) in self.disk.items():
            held[account][job] = msgspec.json.decode(text, type=Reservation)
        self.ledgers = [Ledger(self.books, each) for each in held]

    @rule(target=jobs, account=st.integers(0, 1), gpus=st.lists(st.integers(0, 3), min_size=1, max_size=3))
    def ask(self, account: int, gpus: list[int]) -> object:
        self.count += 1
        job = f"{self.count}"
        free = len(GPUS) - self.books.reserved().gpus
        admitted = self.ledgers[account].admit(wanted(job, gpus))
        assert (admitted is not None) == (sum(gpus) <= free)
        if admitted is None:
            self.ledgers[account].free(job)  # it gives up
            return multiple()
        assert [len(uuids) for uuids in held_by(admitted)] == gpus
        self._write(account, admitted)
        return job

    @rule(job=consumes(jobs))
    def end(self, job: str) -> None:
        account, _ = self.disk.pop(job)
        self.ledgers[account].free(job)

    @rule(target=jobs, job=consumes(jobs))
    def keep_warm_and_take_over(self, job: str) -> str:
        account, text = self.disk.pop(job)
        self.count += 1
        before = held_by(self.ledgers[account].held(job))
        taken = replace(msgspec.json.decode(text, type=Reservation), job=f"{self.count}")
        self._write(account, taken)
        self.ledgers[account].pass_on(job, taken)
        assert held_by(self.ledgers[account].held(taken.job)) == before
        return taken.job

    def _write(self, account: int, reservation: Reservation) -> None:
        self.disk[reservation.job] = (account, msgspec.json.encode(reservation))

    @invariant()
    def nobody_shares(self) -> None:
        hosts = [
            uuids for ledger in self.ledgers for each in ledger.reservations() for uuids in held_by(each)
        ]  # fmt: skip
        dealt = [uuid for uuids in hosts for uuid in uuids]
        assert len(dealt) == len(set(dealt))
        assert set(dealt) <= set(GPUS)
        assert self.books.reserved().gpus == len(dealt)


TestMachine = Machine.TestCase


def test_what_an_earlier_version_reserved_are_the_first_ones(tmp_path: Path) -> None:
    directories = JobDirectories(tmp_path)
    directories.write_reservation(wanted("training/old", [2, 1]))
    shared = books()
    ledger = Ledger(shared, directories.read_reservations())
    assert held_by(ledger.held("training/old")) == [("GPU-a", "GPU-b"), ("GPU-a",)]  # so it runs
    assert held_by(ledger.admit(wanted("training/new", [3]))) == [("GPU-c", "GPU-d", "GPU-e")]


def test_a_gpu_that_has_gone_is_given_to_nobody() -> None:
    first = Ledger(books(), {}).admit(wanted("a", [2]))
    assert first is not None
    later = Ledger(books(GPUS[1:]), {"a": first})
    assert held_by(later.admit(wanted("b", [3]))) == [("GPU-c", "GPU-d", "GPU-e")]
    assert later.admit(wanted("c", [1])) is None


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        ("", ()),
        ("No devices were found\n", ()),
        (
            "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n"
            "  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)\n"
            "GPU 1: Tesla T4 (UUID: GPU-2)\n",
            ("GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77", "GPU-2"),
        ),
    ],
)
def test_gpus_are_known_by_what_the_driver_lists(listing: str, found: tuple[str, ...]) -> None:
    assert gpu_uuids(listing) == found
