"""The controller's thread: what wakes it, how it ends, what it tells of itself, and who else is there."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.control.controller import Controller
from sagestone.store.sql_store import SqlStore
from tests.documents import algorithm, plan
from tests.unit.fault_placement import FaultPlacement, completed
from tests.unit.pumped import Clock, opened_store, outcome, pump, wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with opened_store(tmp_path) as opened:
        yield opened


def test_nothing_waits_for_agents_that_clean_up(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement = FaultPlacement()
    placement.lingering = {"transform/job": 1000}
    controller = pump(store, placement)
    assert outcome(store) == ("Completed", None)
    assert placement.find() == ["transform/job"]
    placement.lingering = {}
    controller.round()
    assert placement.find() == []
    assert controller.round() is None


def test_a_stop_puts_away_what_is_over(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement = FaultPlacement()
    placement.lingering = {"transform/job": 40}
    controller = Controller(store, placement, region="eu-central-1", holder="test")
    controller.start()
    deadline = time.monotonic() + 20
    while outcome(store)[0] != "Completed":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert controller.stop()
    assert placement.find() == []


def test_the_controller_tells_how_long_it_has_been_at_one_thing(store: SqlStore) -> None:
    placement, clock = FaultPlacement(), Clock()
    told: list[float] = []
    controller = Controller(store, placement, region="eu-central-1", holder="test", monotonic=clock)
    assert not controller.breath().alive

    def take_long(call: str, key: str) -> None:
        if call == "start":
            clock.now += 75.0
            told.append(controller.breath().busy_seconds)

    placement.before_call = take_long
    controller.start()
    store.add_algorithm(algorithm("a", plan=plan()), {})
    controller.hint()
    deadline = time.monotonic() + 20
    while outcome(store)[0] != "Completed" or controller.breath().busy_seconds:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert min(told) >= 75.0
    breath = controller.breath()
    assert (breath.alive, breath.failing, breath.rounds > 0) == (True, 0, True)
    assert controller.stop()
    assert not controller.breath().alive


def test_leavings_of_an_earlier_life_are_put_away(store: SqlStore) -> None:
    placement = FaultPlacement()
    placement.reserve("training/unknown", ["ml.m5.large"], 0)
    pump(store, placement, rounds=1)
    assert placement.released == ["training/unknown"]


def test_two_controllers_share_the_work_by_leases(store: SqlStore) -> None:
    placement = FaultPlacement()
    for number in range(4):
        store.add_algorithm(algorithm(f"a{number}", plan=plan(f"job{number}")), {})
    controllers = [Controller(store, placement, region="r", holder=holder, alone=False) for holder in ("one", "other")]
    for _ in range(60):
        for controller in controllers:
            controller.round()
            controller.hint()
    assert [outcome(store, f"a{number}")[0] for number in range(4)] == ["Completed"] * 4
    assert set(placement.starts.values()) == {1}


def test_an_idle_controller_sleeps_without_a_timer(store: SqlStore) -> None:
    controller = pump(store, FaultPlacement(), rounds=3)
    assert controller.round() is None


def test_the_thread_is_woken_by_hints_and_stops(store: SqlStore) -> None:
    placement = FaultPlacement(completed)
    controller = Controller(store, placement, region="r", holder="thread")
    controller.start()
    store.add_algorithm(algorithm("a", plan=plan()), {})
    controller.hint()
    wait_until(lambda: outcome(store)[0] == "Completed")
    assert controller.stop(10)
    assert store.take_lease("training/job", "another", 30)
