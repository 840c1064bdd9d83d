"""Controllers of several services on one PostgreSQL database, each with machines of its own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagestone.control.controller import Controller
from sagestone.domain.transition import new_training_job
from sagestone.store.interface import Store
from tests.contract.stores import in_postgres
from tests.documents import algorithm, plan, training_spec
from tests.unit.fault_placement import FaultPlacement, completed, until_stopped

pytestmark = pytest.mark.postgres

KEY = "training/job"


class Side:
    """One service without its API: what it has of the store, its machines, its controller. Tests turn the pump."""

    def __init__(self, place: Path, home: str, placement: FaultPlacement) -> None:
        self.home, self.placement, self._place = home, placement, place
        self.store: Store
        self.open()

    def open(self) -> None:
        """Start, or start again with the same home and machines."""
        self.store = in_postgres(self._place, home=self.home, patience_seconds=1.0)
        self.controller = Controller(
            self.store, self.placement, region="eu-central-1", holder=f"{self.home}.{time.monotonic_ns()}"
        )

    def round(self) -> None:
        """Look at everything."""
        self.controller.hint()
        self.controller.round()


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    """Two services with room for one job each; jobs run until a test lets them complete."""
    made = [Side(tmp_path, home, FaultPlacement(until_stopped, room=1)) for home in ("here", "there")]
    yield made[0], made[1]
    for side in made:
        side.store.close()


def turn(sides: tuple[Side, ...], is_so: Callable[[], bool]) -> None:
    """Pump by turns until something is so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        for side in sides:
            side.round()


def test_who_has_room_takes_a_job_and_nobody_else_does(sides: tuple[Side, Side]) -> None:
    here, there = sides
    names = [f"a{number}" for number in range(6)]
    for name in names:
        here.store.add_algorithm(algorithm(name, plan=plan(name)), {})
    turn(sides, lambda: bool(here.placement.starts) and bool(there.placement.starts))
    here.placement.script = there.placement.script = completed
    turn(sides, lambda: there.store.unfinished_resources() == here.store.unfinished_resources() == [])
    assert [found.status for name in names if (found := there.store.algorithm(name))] == ["Completed"] * 6
    starts = [*here.placement.starts.items(), *there.placement.starts.items()]
    assert sorted(key for (key, _), _ in starts) == sorted(
        f"{kind}/{job}" for name in names for kind, job in jobs_of(here.store, name)
    )
    assert {count for _, count in starts} == {1}
    assert here.placement.find() == there.placement.find() == []
    assert here.placement.reserved == there.placement.reserved == {}


def test_a_job_that_another_had_room_for_waits_here_no_more(sides: tuple[Side, Side]) -> None:
    """Else it would stay the first in the queue of this machine for ever."""
    here, there = sides
    for number, name in enumerate(("job", "next")):
        here.store.add_job(new_training_job(training_spec(name), 1000.0 + number), {})
    here.round()
    assert list(here.placement.reserved) == [KEY]
    assert here.placement.released == []
    there.round()
    assert list(there.placement.reserved) == ["training/next"]
    here.round()
    assert here.placement.released == ["training/next"]
    assert (list(here.placement.reserved), list(there.placement.reserved)) == ([KEY], ["training/next"])


def test_what_was_reserved_before_a_crash_is_put_away_when_another_takes_the_job(sides: tuple[Side, Side]) -> None:
    """The store did not know of the room yet; the other takes the job up while this side looks what it has."""
    here, there = sides
    here.placement.reserve(KEY, ("ml.m5.large",), 1)
    here.store.add_job(new_training_job(training_spec("job"), 1000.0), {})

    def take(call: str, _: str) -> None:
        if call == "find":
            assert there.store.take_lease(KEY, "there", 30.0)

    here.placement.before_call = take
    here.round()
    here.placement.before_call = lambda call, key: None
    there.store.release_lease(KEY, "there")
    there.round()
    here.round()
    assert (here.placement.find(), here.placement.reserved, here.placement.starts) == ([], {}, {})
    assert list(there.placement.reserved) == [KEY]


def jobs_of(store: Store, name: str) -> list[tuple[str, str]]:
    found = store.algorithm(name)
    assert found is not None
    assert found.plan is not None
    assert found.plan.transform is not None
    return [("training", found.plan.training.name), ("transform", found.plan.transform.name)]


def test_a_warm_pool_that_was_claimed_before_a_crash_is_taken_over(sides: tuple[Side, Side]) -> None:
    here = sides[0]
    here.placement.script = completed
    here.store.add_job(new_training_job(training_spec("first", keep_alive_seconds=10**9), 1000.0), {})
    turn((here,), lambda: here.store.warm_pools() == ["first"])
    here.store.add_job(new_training_job(training_spec("second"), 1000.0), {})

    def no_disk(call: str, key: str) -> None:
        if (call, key) == ("reserve", "training/second"):
            raise OSError("no disk")

    here.placement.before_call = no_disk
    turn((here,), lambda: here.store.warm_pools() == [])
    here.store.close()
    here.placement.before_call = lambda call, key: None
    here.open()
    turn((here,), lambda: here.store.unfinished_jobs() == [])
    assert here.placement.taken_over == [("training/first", "training/second")]
    assert here.placement.released.count("training/first") == 0
    turn((here,), lambda: here.placement.reserved == {})


def test_the_jobs_of_a_service_that_is_gone_end_and_it_puts_them_away_when_it_is_back(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.store.add_job(new_training_job(training_spec(), 1000.0), {})
    here.round()
    assert here.placement.starts == {(KEY, 1): 1}
    here.store.close()
    turn((there,), lambda: status(there) == "Failed")
    assert there.store.orphans() == []
    job = there.store.training_job("job")
    assert job is not None
    assert "The service on here.example, which ran the job, is gone" in str(job.failure_reason)
    assert there.placement.starts == {}
    here.open()
    here.round()
    assert here.placement.find() == []
    assert status(here) == "Failed"


def test_a_job_with_retries_starts_anew_elsewhere(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.store.add_job(new_training_job(training_spec(max_retries=1), 1000.0), {})
    here.round()
    here.store.close()
    turn((there,), lambda: bool(there.placement.starts))
    assert status(there) == "InProgress"
    here.open()
    here.round()
    assert here.placement.find() == []  # what the first run left, though the job goes on elsewhere
    for _ in range(3):
        here.round()
        there.round()
    assert here.placement.starts == {(KEY, 1): 1}
    assert there.placement.starts == {(KEY, 1): 1}
    assert there.placement.find() == [KEY]


def status(side: Side) -> str:
    job = side.store.training_job("job")
    return job.status if job is not None else ""
