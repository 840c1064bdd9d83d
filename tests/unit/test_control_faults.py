"""What the controller makes of machines that refuse, instances that get lost, and errors of its own parts."""

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    new_training_job,
    request_delete,
    request_interruption,
    request_job_delete,
    request_stop,
)
from sagestone.store.interface import StoreFull
from sagestone.store.sql_store import SqlStore
from sagestone.store.sqlite_database import open_sqlite
from tests.documents import algorithm, event, plan, training_spec
from tests.unit.fault_placement import FaultPlacement, completed, until_stopped
from tests.unit.pumped import opened_store, outcome, pump

LOST = Outcome(ending="Interrupted", exit_code=143)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with opened_store(tmp_path) as opened:
        yield opened


def test_a_validation_goes_through_both_jobs(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement = FaultPlacement()
    pump(store, placement)
    assert outcome(store) == ("Completed", None)
    training, transform = store.training_job("job"), store.transform_job("job")
    assert training is not None
    assert transform is not None
    assert [entry.status for entry in training.transitions] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    assert training.runtime == transform.runtime == "sandbox"
    assert placement.find() == []


def test_without_a_profile_there_is_nothing_to_wait_for(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a"), {})
    pump(store, FaultPlacement(), rounds=1)
    assert outcome(store) == ("Completed", None)


def test_one_that_cannot_be_stored_does_not_hold_up_the_others(tmp_path: Path) -> None:
    def describe(one: Algorithm) -> bytes:
        if one.name == "bad" and one.status != "Pending":
            raise RuntimeError("cannot be shown")
        return b""

    store = open_sqlite(tmp_path / "other.sqlite3", describe)
    for name in ("bad", "good", "better"):
        store.add_algorithm(algorithm(name), {})
    pump(store, FaultPlacement(), rounds=3)
    assert [outcome(store, name)[0] for name in ("bad", "good", "better")] == ["Pending", "Completed", "Completed"]
    store.close()


def test_a_deleted_algorithm_goes_and_its_jobs_stay(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {"key": "value"})
    placement = FaultPlacement()
    pump(store, placement)
    store.change_algorithm("a", request_delete)
    pump(store, placement, rounds=1)
    assert store.algorithm("a") is None
    assert store.training_job("job") is not None


def test_a_deleted_job_goes_with_what_it_left_and_frees_its_name(store: SqlStore) -> None:
    placement = FaultPlacement()
    store.add_job(new_training_job(training_spec(), 1000.0), {})
    pump(store, placement)
    store.change_job("training/job", lambda job: request_job_delete(cast(TrainingJob, job), 2500.0))
    pump(store, placement, rounds=2)
    assert store.training_job("job") is None
    assert placement.find() == []
    store.add_job(new_training_job(training_spec(), 3000.0), {})
    pump(store, placement)
    again = store.training_job("job")
    assert again is not None
    assert again.status == "Completed"


def test_a_spot_job_is_taken_away_once_and_runs_again(store: SqlStore) -> None:
    def script(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
        if not stopping:
            return (
                until_stopped(key, number, stopping) if len(placement.released) == 0 else completed(key, number, False)
            )
        return [*until_stopped(key, number, False), event(key, 4, 2010.0, instance=number, outcome=LOST)]

    placement = FaultPlacement(script)
    store.add_job(new_training_job(training_spec(spot=True, instances=2), 1000.0), {})
    pump(store, placement, rounds=10)
    store.change_job("training/job", lambda job: request_interruption(cast(TrainingJob, job), 2005.0))
    pump(store, placement)
    job = store.training_job("job")
    assert job is not None
    assert (job.status, job.run) == ("Completed", 2)
    assert [entry.status for entry in job.transitions] == [
        "Starting", "Downloading", "Training", "Interrupted", "Starting", "Downloading", "Training", "Uploading",
        "Completed",
    ]  # fmt: skip
    assert set(placement.starts.values()) == {2}


def test_instances_that_get_lost_are_a_failure_of_ours_and_retried(store: SqlStore) -> None:
    placement = FaultPlacement(until_stopped)

    def lose(call: str, key: str) -> None:
        if call == "lost" and len(placement.released) == 0:
            placement.dead.update(placement.told)
        elif placement.released:
            placement.script = completed

    placement.before_call = lose
    store.add_job(new_training_job(training_spec(max_retries=1), 1000.0), {})
    pump(store, placement)
    job = store.training_job("job")
    assert job is not None
    assert (job.status, job.run, job.retries) == ("Completed", 2, 1)


def test_a_job_that_gets_no_room_waits_no_longer_than_it_may(store: SqlStore) -> None:
    store.add_job(new_training_job(training_spec(spot=True, max_wait_seconds=20), 2990.0), {})
    pump(store, FaultPlacement(room=0))
    job = store.training_job("job")
    assert job is not None
    assert (job.status, job.secondary_status) == ("Stopped", "MaxWaitTimeExceeded")


def test_a_failed_training_fails_the_validation_and_no_transform_runs(store: SqlStore) -> None:
    def script(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
        failure = Failure(fault="algorithm", message="out of luck, exit code: 3")
        return [event(key, 1, 2000.0, outcome=Outcome(ending="Failed", exit_code=3, failure=failure))]

    store.add_algorithm(algorithm("a", plan=plan()), {})
    pump(store, FaultPlacement(script))
    assert outcome(store) == (
        "Failed",
        "Client error: Training job job failed: AlgorithmError: out of luck, exit code: 3",
    )
    assert store.transform_job("job") is None


def test_the_others_are_stopped_when_one_instance_fails(store: SqlStore) -> None:
    def script(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
        if number == 1:
            return [
                event(key, 1, 2000.0, outcome=Outcome(ending="Failed", failure=Failure(fault="client", message="x")))
            ]
        end = [event(key, 2, 2002.0, instance=2, outcome=Outcome(ending="Stopped"))] if stopping else []
        return [event(key, 1, 2001.0, instance=2, stage="Training"), *end]

    store.add_algorithm(algorithm("a", plan=plan(instances=2)), {})
    pump(store, FaultPlacement(script))
    assert outcome(store) == ("Failed", "Client error: Training job job failed: ClientError: x")


def test_an_impossible_job_says_why(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement = FaultPlacement()
    placement.impossible.add("training/job")
    pump(store, placement, rounds=2)
    assert outcome(store) == (
        "Failed",
        "Client error: Training job job failed: ClientError: the machine is too small",
    )


def test_jobs_without_room_wait_in_pending_and_go_on_when_there_is_some(store: SqlStore) -> None:
    placement = FaultPlacement(until_stopped, room=1)
    for number in range(3):
        store.add_algorithm(algorithm(f"a{number}", plan=plan(f"job{number}")), {})
    controller = pump(store, placement, rounds=1)
    waiting = store.training_job("job2")
    assert waiting is not None
    assert (waiting.status, waiting.secondary_status) == ("InProgress", "Pending")
    placement.script = completed
    for _ in range(100):
        controller.round()
    assert [outcome(store, f"a{number}")[0] for number in range(3)] == ["Completed"] * 3


def test_a_waiting_job_can_be_stopped(store: SqlStore) -> None:
    placement = FaultPlacement(room=0)
    store.add_algorithm(algorithm("a", plan=plan()), {})
    controller = pump(store, placement, rounds=2)
    store.change_job("training/job", lambda job: request_stop(job, 3100.0))
    controller.hint()
    controller.round()
    job = store.training_job("job")
    assert job is not None
    assert (job.status, job.secondary_status, job.started_at) == ("Stopped", "Stopped", None)


def test_a_lost_agent_is_started_again_and_the_job_completes(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement = FaultPlacement(until_stopped)
    pump(store, placement, rounds=3)
    placement.dead.add(("training/job", 1))
    placement.script = completed
    pump(store, placement)
    assert outcome(store) == ("Completed", None)
    assert placement.starts[("training/job", 1)] == 2


def test_an_agent_that_cannot_be_started_again_for_want_of_room_was_not(store: SqlStore) -> None:
    store.add_algorithm(algorithm("a", plan=plan()), {})
    placement, left = FaultPlacement(until_stopped), [12]
    pump(store, placement, rounds=3)
    placement.dead.add(("training/job", 1))
    placement.script = completed

    def fail(name: str, key: str) -> None:
        if (name, key) == ("start", "training/job") and left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")

    placement.before_call = fail
    pump(store, placement, rounds=100)
    assert left == [0]
    assert outcome(store) == ("Completed", None)
    assert placement.starts[("training/job", 1)] == 2


def test_an_agent_that_is_lost_again_and_again_ends_its_job_as_our_fault(store: SqlStore) -> None:
    def script(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
        return []

    placement = FaultPlacement(script)
    placement.before_call = lambda call, key: placement.dead.update(placement.told) if call == "lost" else None
    store.add_algorithm(algorithm("a", plan=plan()), {})
    pump(store, placement)
    assert outcome(store)[1] == (
        "Internal error: Training job job failed: InternalServerError: "
        "The agent of algo-1 ended 4 times without telling how its instance ended."
    )
    assert placement.starts[("training/job", 1)] == 4
    assert placement.find() == []


@pytest.mark.parametrize("call", ["reserve", "start", "events", "lost"])
def test_an_error_that_stays_ends_only_its_own_job(store: SqlStore, call: str) -> None:
    def fail(name: str, key: str) -> None:
        if (name, key) == (call, "training/bad"):
            raise RuntimeError("no such thing")

    placement = FaultPlacement()
    placement.before_call = fail
    store.add_algorithm(algorithm("bad", plan=plan("bad")), {})
    store.add_algorithm(algorithm("good", plan=plan("good")), {})
    pump(store, placement)
    assert outcome(store, "good") == ("Completed", None)
    assert outcome(store, "bad") == (
        "Failed",
        "Internal error: Training job bad failed: InternalServerError: "
        "We encountered an internal error. Please try again.",
    )


@pytest.mark.parametrize("call", ["reserve", "start", "events", "lost", "release", "find"])
def test_an_error_that_passes_is_forgotten(store: SqlStore, call: str) -> None:
    left = [2]

    def fail(name: str, key: str) -> None:
        if name == call and left[0]:
            left[0] -= 1
            raise RuntimeError("not now")

    placement = FaultPlacement()
    placement.before_call = fail
    store.add_algorithm(algorithm("a", plan=plan()), {})
    pump(store, placement)
    assert outcome(store) == ("Completed", None)
    assert placement.find() == []


@pytest.mark.parametrize("call", ["reserve", "start", "release"])
def test_a_disk_that_is_full_for_long_ends_no_job(store: SqlStore, call: str) -> None:
    left = [30]  # several times as often as another error may come

    def fail(name: str, key: str) -> None:
        if name == call and left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device") if left[0] % 2 else StoreFull("no room")

    placement = FaultPlacement()
    placement.before_call = fail
    store.add_algorithm(algorithm("a", plan=plan()), {})
    pump(store, placement, rounds=120)
    assert left == [0]
    assert outcome(store) == ("Completed", None)
    assert placement.find() == []
