"""Warm pools: when instances are kept, who takes them over, and when they are given up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.event import Ending, InstanceEvent, Outcome
from sagestone.domain.failure import Failure, Fault
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    TransitionRefused,
    advance,
    end_pool,
    finish_stopping,
    keep_pool,
    matches,
    new_training_job,
    place,
    request_stop,
    reuse_pool,
)
from sagestone.store.sql_store import SqlStore
from sagestone.store.sqlite_database import open_sqlite
from tests.documents import event, training_spec
from tests.unit.fault_placement import FaultPlacement, completed
from tests.unit.pumped import pump

WARM = training_spec(keep_alive_seconds=60)


def ended(ending: Ending = "Completed", fault: Fault = "algorithm") -> TrainingJob:
    """A job with a pool that ended at 1100."""
    failure = Failure(fault=fault, message="no") if ending == "Failed" else None
    job = advance(
        place(new_training_job(WARM, 1000.0), "sandbox", 1001.0),
        event("training/job", 1, 1100.0, outcome=Outcome(ending=ending, failure=failure)),
    )
    assert isinstance(job, TrainingJob)
    return job


def status(job: TrainingJob) -> str:
    assert job.warm_pool is not None
    return job.warm_pool.status


@pytest.mark.parametrize(
    ("ending", "fault", "kept"),
    [
        ("Completed", "algorithm", "Available"),
        ("Stopped", "algorithm", "Available"),
        ("MaxRuntimeExceeded", "algorithm", "Available"),
        ("Failed", "algorithm", "Available"),
        ("Failed", "client", "Available"),
        ("Failed", "internal", "Terminated"),
    ],
)
def test_instances_are_kept_unless_the_failure_was_ours(ending: Ending, fault: Fault, kept: str) -> None:
    assert status(ended(ending, fault)) == kept


def test_a_job_that_was_never_launched_leaves_no_pool() -> None:
    job = finish_stopping(request_stop(new_training_job(WARM, 1000.0), 1001.0), 1002.0)
    assert isinstance(job, TrainingJob)
    assert status(job) == "Terminated"


def test_a_pool_is_reused_once_and_says_by_whom() -> None:
    job = reuse_pool(ended(), "next", 1130.0)
    shown = describe_training_job(job)
    assert shown["WarmPoolStatus"] == {
        "Status": "Reused", "ReusedByJob": "next", "ResourceRetainedBillableTimeInSeconds": 30,
    }  # fmt: skip
    assert shown["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Resource reused by training job: next"
    assert shown["SecondaryStatusTransitions"][-1]["EndTime"] == 1100.0
    with pytest.raises(TransitionRefused, match="is Reused"):
        reuse_pool(job, "another", 1131.0)
    assert end_pool(job, 1131.0) is job
    with pytest.raises(TransitionRefused, match="has expired"):
        reuse_pool(ended(), "late", 1160.0)


def test_the_period_counts_from_the_end_of_the_job() -> None:
    pool = keep_pool(ended(), 90, 1120.0).warm_pool
    assert pool is not None
    assert (pool.has_expired(1189.0), pool.has_expired(1190.0)) == (False, True)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"hyperparameters": {"a": "1"}, "name": "other", "keep_alive_seconds": 0}, True),
        ({"role_arn": "arn:aws:iam::123456789012:role/other"}, False),
        ({"instance_type": "ml.m5.xlarge"}, False),
        ({"instance_count": 2}, False),
        ({"volume_gb": 5}, False),
        ({"isolated": False}, False),
        ({"spot": True}, False),
        ({"request": {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["s-1"]}}}, False),
        ({"request": {"EnableInterContainerTrafficEncryption": True}}, False),
    ],
)
def test_which_jobs_match(changes: dict[str, Any], match: bool) -> None:
    assert matches(WARM, replace(WARM, **changes)) == match


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_sqlite(tmp_path / "state.sqlite3", lambda one: one.status.encode())
    yield opened
    opened.close()


def named(name: str, **fields: Any) -> TrainingJob:
    return new_training_job(training_spec(name, **fields), 1000.0)


def at_pumps_time(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
    return [replace(one, at=3000.0) for one in completed(key, number, stopping)]


def pool_of(store: SqlStore, name: str) -> str:
    job = store.training_job(name)
    assert job is not None
    return status(job)


def test_a_matching_job_takes_over_what_was_kept(store: SqlStore) -> None:
    placement = FaultPlacement(at_pumps_time)
    store.add_job(named("first", keep_alive_seconds=600), {})
    pump(store, placement, rounds=15)
    assert (pool_of(store, "first"), placement.kept, placement.released) == ("Available", ["training/first"], [])
    store.add_job(named("different", instance_type="ml.m5.xlarge"), {})
    store.add_job(named("second", keep_alive_seconds=600), {})
    pump(store, placement, rounds=15)
    assert placement.taken_over == [("training/first", "training/second")]
    assert (pool_of(store, "first"), pool_of(store, "second")) == ("Reused", "Available")


def test_a_pool_ends_with_its_period(store: SqlStore) -> None:
    placement = FaultPlacement(at_pumps_time)
    store.add_job(named("first", keep_alive_seconds=20), {})
    pump(store, placement, rounds=40)
    assert pool_of(store, "first") == "Terminated"
    assert placement.find() == []


def test_a_pool_ends_with_its_period_also_where_the_time_of_day_was_set_back_since(store: SqlStore) -> None:
    def hours_ahead(key: str, number: int, stopping: bool) -> Sequence[InstanceEvent]:
        return [replace(one, at=10_000.0) for one in completed(key, number, stopping)]

    placement = FaultPlacement(hours_ahead)
    store.add_job(named("first", keep_alive_seconds=20), {})
    pump(store, placement, rounds=40)
    job = store.training_job("first")
    assert job is not None
    assert describe_training_job(job)["WarmPoolStatus"] == {
        "Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 0,
    }  # fmt: skip
    assert placement.find() == []


def test_a_pool_that_is_kept_no_longer_ends_at_once(store: SqlStore) -> None:
    placement = FaultPlacement(at_pumps_time)
    store.add_job(named("first", keep_alive_seconds=600), {})
    pump(store, placement, rounds=15)
    store.change_job("training/first", lambda job: keep_pool(cast(TrainingJob, job), 0, 3015.0))
    pump(store, placement, rounds=2)
    assert pool_of(store, "first") == "Terminated"


def test_a_pool_gives_way_to_a_job_that_waits(store: SqlStore) -> None:
    placement = FaultPlacement(at_pumps_time, room=2)
    store.add_job(named("first", keep_alive_seconds=600), {})
    pump(store, placement, rounds=15)
    store.add_job(named("large", instances=2), {})
    pump(store, placement, rounds=15)
    large = store.training_job("large")
    assert large is not None
    assert (pool_of(store, "first"), large.status) == ("Terminated", "Completed")


def test_a_pool_gives_way_to_a_job_of_another_account(store: SqlStore) -> None:
    placement = FaultPlacement(at_pumps_time)
    store.add_job(named("first", keep_alive_seconds=600), {})
    controller = pump(store, placement, rounds=15)
    assert pool_of(store, "first") == "Available"
    controller.give_way()
    controller.round()
    assert (pool_of(store, "first"), placement.find()) == ("Terminated", [])
