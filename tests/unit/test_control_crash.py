"""The service may die between any two steps: the next one comes to the same end, and starts nothing twice."""

import itertools
from pathlib import Path
from typing import cast

import pytest

from sagestone.control.controller import Controller
from sagestone.domain.algorithm import StatusItem
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.transition import request_stop
from sagestone.placement.interface import Placement
from sagestone.store.interface import Store
from sagestone.store.sqlite_database import open_sqlite
from tests.documents import algorithm, package, package_plan, plan
from tests.unit.dying import Countdown, Died, Dying
from tests.unit.fault_placement import FaultPlacement, until_stopped

ROUNDS = 60


def pump(store: Store, placement: Placement, holder: str) -> None:
    """Rounds until nothing is unfinished and nothing is left on the machine."""
    controller = Controller(store, placement, region="eu-central-1", holder=holder)
    for _ in range(ROUNDS):
        controller.round()
        if not store.unfinished_resources() and not store.unfinished_jobs() and not placement.find():
            return
    raise AssertionError(f"after {ROUNDS} rounds: {store.unfinished_resources()} {store.unfinished_jobs()}")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_every_crash_point_leads_to_the_same_end(tmp_path: Path, after: bool) -> None:
    crash_points = 0
    for at in itertools.count(1):
        store = open_sqlite(tmp_path / f"{at}.sqlite3", lambda one: one.status.encode())
        placement = FaultPlacement()
        store.add_algorithm(algorithm("a", plan=plan("job", instances=2)), {})
        countdown = Countdown(at, after=after)
        try:
            pump(cast(Store, Dying(store, countdown)), cast(Placement, Dying(placement, countdown)), "first")
            died = False
        except Died:
            died = True
        pump(store, placement, "second")
        end = store.algorithm("a")
        assert end is not None
        assert end.status == "Completed", at
        assert set(placement.starts.values()) == {1}, at
        assert set(placement.starts) == {(f"{kind}/job", n) for kind in ("training", "transform") for n in (1, 2)}
        assert store.algorithm_document("a") == b"Completed"
        store.close()
        if not died:
            break
        crash_points += 1
    assert crash_points > 20


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_every_crash_point_of_a_package_leads_to_the_same_end(tmp_path: Path, after: bool) -> None:
    crash_points = 0
    for at in itertools.count(1):
        store = open_sqlite(tmp_path / f"{at}.sqlite3", lambda one: b"")
        placement = FaultPlacement()
        store.add_resource(package("p", plan=package_plan("job")), {})
        countdown = Countdown(at, after=after)
        try:
            pump(cast(Store, Dying(store, countdown)), cast(Placement, Dying(placement, countdown)), "first")
            died = False
        except Died:
            died = True
        pump(store, placement, "second")
        end, made = store.resource(ModelPackage, "p"), store.resource(Model, "job")
        assert end is not None
        assert made is not None
        assert (end.status, end.validation) == ("Completed", StatusItem(name="profile", status="Completed")), at
        assert placement.starts == {("transform/job", 1): 1}, at
        store.close()
        if not died:
            break
        crash_points += 1
    assert crash_points > 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_stop_is_not_forgotten_by_a_crash(tmp_path: Path, after: bool) -> None:
    for at in itertools.count(1):
        store = open_sqlite(tmp_path / f"{at}.sqlite3", lambda one: b"")
        placement = FaultPlacement(until_stopped)
        store.add_algorithm(algorithm("a", plan=plan("job")), {})
        Controller(store, placement, region="r", holder="zeroth").round()
        store.change_job("training/job", lambda job: request_stop(job, 1500.0))
        countdown = Countdown(at, after=after)
        try:
            pump(cast(Store, Dying(store, countdown)), cast(Placement, Dying(placement, countdown)), "first")
            died = False
        except Died:
            died = True
        pump(store, placement, "second")
        job, end = store.training_job("job"), store.algorithm("a")
        assert job is not None
        assert job.status == "Stopped", at
        assert end is not None
        assert end.validation is not None
        assert end.validation.failure_reason == "Client error: Training job job was stopped before it completed"
        store.close()
        if not died:
            break
