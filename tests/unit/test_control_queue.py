"""Many validations that wait for room: each gets its turn in order, may be stopped, and costs little meanwhile."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from sagestone.control.controller import Controller
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import request_stop
from sagestone.store.interface import Store
from sagestone.store.sql_store import SqlStore
from sagestone.store.sqlite_database import open_sqlite
from tests.documents import algorithm, plan
from tests.unit.fault_placement import FaultPlacement


class Counting:
    """Passes everything on to a store, and counts the calls by name."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self._store, name)


class Pump:
    """A controller on a machine with room for one job, and so many algorithms to validate."""

    def __init__(self, store: SqlStore, number: int) -> None:
        self.store, self.counting, self.placement = store, Counting(store), FaultPlacement(room=1)
        self.names = [f"a{each:04}" for each in range(number)]
        for name in self.names:
            store.add_algorithm(algorithm(name, plan=plan(name, transform=False)), {})
        self._now = 0.0
        self.controller = Controller(
            cast(Store, self.counting),
            self.placement,
            region="r",
            holder="test",
            clock=lambda: 3000.0 + self._now,
            monotonic=lambda: self._now,
        )

    def go(self, rounds: int) -> None:
        """So many rounds, a tenth of a second apart."""
        for _ in range(rounds):
            self.controller.round()
            self._now += 0.1

    def statuses(self) -> Counter[str]:
        found = [self.store.algorithm(name) for name in self.names]
        return Counter(one.status for one in found if one is not None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_sqlite(tmp_path / "state.sqlite3", lambda one: b"")
    yield opened
    opened.close()


def test_they_get_their_turn_in_order(store: SqlStore) -> None:
    pump = Pump(store, 40)
    pump.go(400)
    assert pump.statuses() == {"Completed": 40}
    assert [key for key, _ in pump.placement.starts] == [f"training/{name}" for name in pump.names]
    assert set(pump.placement.starts.values()) == {1}


def test_one_that_ends_costs_no_look_at_all_that_wait(store: SqlStore) -> None:
    reads = {}
    for number in (20, 80):
        pump = Pump(store, number)
        pump.go(12 * number)
        assert pump.statuses() == {"Completed": number}
        reads[number] = sum(pump.counting.calls[name] for name in ("training_job", "resource", "algorithm")) / number
        for name in pump.names:
            store.remove_algorithm(name)
            store.remove_job(f"training/{name}")
    assert reads[80] < 1.6 * reads[20], reads


def test_one_that_waits_can_be_stopped(store: SqlStore) -> None:
    pump = Pump(store, 5)
    pump.placement.script = lambda key, number, stopping: []  # the first runs for ever
    pump.go(5)
    store.change_job("training/a0003", lambda job: request_stop(cast(TrainingJob, job), 1.0))
    pump.controller.hint()
    pump.go(2)
    stopped = store.training_job("a0003")
    assert stopped is not None
    assert stopped.status == "Stopped"
    failed = store.algorithm("a0003")
    assert failed is not None
    assert failed.status == "Failed"
    assert pump.statuses() == {"InProgress": 4, "Failed": 1}
