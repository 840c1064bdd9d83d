"""The service may die at any step of an interruption or of a warm pool: the next one comes to the same end."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from sagestone.control.controller import Controller
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import new_training_job, request_interruption, request_job_delete, request_stop
from sagestone.placement.interface import Placement
from sagestone.store.interface import Store
from sagestone.store.sql_store import SqlStore
from sagestone.store.sqlite_database import open_sqlite
from tests.documents import event, training_spec
from tests.unit.dying import Countdown, Died, Dying
from tests.unit.fault_placement import FaultPlacement, completed, until_stopped
from tests.unit.test_control_crash import pump

LOST = Outcome(ending="Interrupted", exit_code=143)


def crash_everywhere(
    directory: Path, after: bool, prepare: Callable[[SqlStore], FaultPlacement],
    check: Callable[[SqlStore, FaultPlacement, int], None],
) -> int:  # fmt: skip
    """Die at the first effect after `prepare`, then at the second …, and `check` the end; how many there were."""
    for at in itertools.count(1):
        store = open_sqlite(directory / f"{at}.sqlite3", lambda one: b"")
        placement = prepare(store)
        countdown = Countdown(at, after=after)
        try:
            pump(cast(Store, Dying(store, countdown)), cast(Placement, Dying(placement, countdown)), "first")
            died = False
        except Died:
            died = True
        pump(store, placement, "second")
        check(store, placement, at)
        store.close()
        if not died:
            return at
    raise AssertionError("there is always an end")


def rounds(store: SqlStore, placement: FaultPlacement, count: int) -> None:
    controller = Controller(store, placement, region="r", holder="zeroth")
    for _ in range(count):
        controller.round()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interruption_is_carried_out_once(tmp_path: Path, after: bool) -> None:
    def prepare(store: SqlStore) -> FaultPlacement:
        def script(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
            if not placement.released:
                lost = [event(key, 4, 2010.0, instance=number, outcome=LOST)] if stopping else []
                return [*until_stopped(key, number, False), *lost]
            return completed(key, number, False)

        placement = FaultPlacement(script)
        store.add_job(new_training_job(training_spec(spot=True, instances=2), 1000.0), {})
        rounds(store, placement, 10)
        store.change_job("training/job", lambda job: request_interruption(cast(TrainingJob, job), 2005.0))
        return placement

    def check(store: SqlStore, placement: FaultPlacement, at: int) -> None:
        job = store.training_job("job")
        assert job is not None
        assert (job.status, job.run) == ("Completed", 2), at
        assert set(placement.starts.values()) == {2}, at
        assert [entry.status for entry in job.transitions].count("Interrupted") == 1, at

    assert crash_everywhere(tmp_path, after, prepare, check) > 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_pool_that_is_reused_is_really_taken_over(tmp_path: Path, after: bool) -> None:
    def prepare(store: SqlStore) -> FaultPlacement:
        placement = FaultPlacement()
        store.add_job(new_training_job(training_spec("first", keep_alive_seconds=10**9), 1000.0), {})
        rounds(store, placement, 10)
        store.add_job(new_training_job(training_spec("second"), 1000.0), {})
        return placement

    def check(store: SqlStore, placement: FaultPlacement, at: int) -> None:
        first, second = store.training_job("first"), store.training_job("second")
        assert first is not None
        assert second is not None
        assert first.warm_pool is not None
        assert (first.warm_pool.status, first.warm_pool.reused_by) == ("Reused", "second"), at
        assert second.status == "Completed", at
        assert placement.taken_over == [("training/first", "training/second")], at
        assert set(placement.starts.values()) == {1}, at
        assert placement.reserved == {}, at

    assert crash_everywhere(tmp_path, after, prepare, check) > 8


def test_a_claimed_pool_goes_with_a_job_that_is_stopped_before_it_has_room(tmp_path: Path) -> None:
    store, placement = open_sqlite(tmp_path / "state.sqlite3", lambda one: b""), FaultPlacement()
    store.add_job(new_training_job(training_spec("first", keep_alive_seconds=10**9), 1000.0), {})
    rounds(store, placement, 10)
    store.add_job(new_training_job(training_spec("second"), 1000.0), {})

    def no_disk(call: str, key: str) -> None:
        if (call, key) == ("reserve", "training/second"):
            raise OSError("no disk")

    placement.before_call = no_disk
    rounds(store, placement, 3)
    first = store.training_job("first")
    assert first is not None
    assert first.warm_pool is not None
    assert first.warm_pool.reused_by == "second"
    assert "training/first" in placement.reserved
    store.change_job("training/second", lambda job: request_stop(job, 2005.0))
    rounds(store, placement, 3)
    second = store.training_job("second")
    assert second is not None
    assert second.status == "Stopped"
    assert placement.reserved == {}
    store.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_deleted_job_goes_whole(tmp_path: Path, after: bool) -> None:
    def prepare(store: SqlStore) -> FaultPlacement:
        placement = FaultPlacement()
        store.add_job(new_training_job(training_spec(), 1000.0), {})
        rounds(store, placement, 10)
        store.change_job("training/job", lambda job: request_job_delete(cast(TrainingJob, job), 2500.0))
        return placement

    def check(store: SqlStore, placement: FaultPlacement, at: int) -> None:
        assert store.training_job("job") is None, at
        assert placement.find() == [], at

    assert crash_everywhere(tmp_path, after, prepare, check) > 2
