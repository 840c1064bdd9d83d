"""A training job that runs more than once: spot capacity that is taken away, failures of ours, and the longest wait."""

from typing import Any

import pytest

from sagestone.domain.describe.training_job import describe_training_job
from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    TransitionRefused,
    advance,
    begin_run,
    end_wait,
    exceeds_wait,
    fail,
    finish_stopping,
    new_training_job,
    place,
    request_interruption,
    request_stop,
)
from tests.documents import event, training_spec

KEY = "training/job"
LOST = Outcome(ending="Interrupted", exit_code=143)
DONE = Outcome(ending="Completed", exit_code=0)
OURS = Failure(fault="internal", message="the machine is on fire")


def running(**fields: Any) -> TrainingJob:
    """A job of one instance in Training since 1010."""
    job = place(new_training_job(training_spec(**fields), 1000.0), "sandbox", 1001.0)
    return told(job, 1, 1005.0, stage="Downloading", then="Training", at=1010.0)


def told(job: Any, seq: int, first_at: float, *, stage: Any, then: Any, at: float) -> TrainingJob:
    job = advance(job, event(KEY, seq, first_at, stage=stage))
    job = advance(job, event(KEY, seq + 1, at, stage=then))
    assert isinstance(job, TrainingJob)
    return job


def ends(job: TrainingJob, seq: int, at: float, outcome: Outcome) -> TrainingJob:
    job_ = advance(job, event(KEY, seq, at, outcome=outcome))
    assert isinstance(job_, TrainingJob)
    return job_


def statuses(job: TrainingJob) -> list[str]:
    return [entry.status for entry in job.transitions]


def test_an_interrupted_job_runs_again_and_completes() -> None:
    job = request_interruption(running(spot=True), 1020.0)
    assert job.interrupting
    assert request_interruption(job, 1021.0) is job
    job = ends(job, 3, 1025.0, LOST)
    assert (job.status, job.secondary_status, job.run_over) == ("InProgress", "Interrupted", True)
    assert advance(job, event(KEY, 4, 1026.0, stage="Uploading")) is job
    job = begin_run(job, 1030.0)
    assert (job.run, job.run_over, job.interrupting, job.runtime) == (2, False, False, None)
    assert begin_run(job, 1031.0) is job
    job = told(place(job, "sandbox", 1031.0), 1, 1040.0, stage="Downloading", then="Training", at=1042.0)
    job = ends(job, 3, 1050.0, DONE)
    assert job.status == "Completed"
    assert statuses(job) == [
        "Starting", "Downloading", "Training", "Interrupted", "Starting", "Downloading", "Training", "Completed",
    ]  # fmt: skip
    shown = describe_training_job(job)
    assert (shown["TrainingTimeInSeconds"], shown["BillableTimeInSeconds"]) == (45, 30)
    assert all(
        entry["EndTime"] == after["StartTime"]
        for entry, after in zip(
            shown["SecondaryStatusTransitions"], shown["SecondaryStatusTransitions"][1:], strict=False
        )
    )


def test_the_time_of_earlier_runs_counts_against_the_longest_run() -> None:
    job = begin_run(ends(running(spot=True), 3, 1025.0, LOST), 1030.0)
    assert job.used_seconds == 20.0


def test_only_spot_jobs_that_run_can_be_interrupted() -> None:
    waiting = new_training_job(training_spec(spot=True), 1000.0)
    for job, told_ in (
        (running(), "does not run with EnableManagedSpotTraining"),
        (waiting, "it has no instances yet"),
        (request_stop(running(spot=True), 1011.0), "it is in status Stopping"),
        (ends(running(spot=True), 3, 1020.0, DONE), "it is in status Completed"),
    ):
        assert isinstance(job, TrainingJob)
        with pytest.raises(TransitionRefused, match=told_):
            request_interruption(job, 1030.0)


def test_a_stop_while_a_run_is_put_away_ends_the_job() -> None:
    job = request_stop(ends(running(spot=True), 3, 1025.0, LOST), 1026.0)
    assert isinstance(job, TrainingJob)
    job = begin_run(job, 1027.0)
    assert (job.status, job.secondary_status, job.runtime) == ("Stopping", "Stopping", None)
    stopped = finish_stopping(job, 1028.0)
    assert (stopped.status, statuses(job)[-2:]) == ("Stopped", ["Interrupted", "Stopping"])


def test_a_stopping_job_that_is_taken_away_is_stopped() -> None:
    job = request_stop(request_interruption(running(spot=True), 1020.0), 1021.0)
    assert isinstance(job, TrainingJob)
    assert ends(job, 3, 1022.0, LOST).status == "Stopped"


@pytest.mark.parametrize("by_instance", [True, False])
def test_a_failure_of_ours_is_retried_as_often_as_asked(by_instance: bool) -> None:
    job = running(max_retries=2)
    for retry in (1, 2):
        if by_instance:
            job = ends(job, 3, 1020.0, Outcome(ending="Failed", failure=OURS))
        else:
            job_ = fail(job, OURS, 1020.0)
            assert isinstance(job_, TrainingJob)
            job = job_
        assert (job.status, job.secondary_status, job.run_over) == ("InProgress", "Starting", True)
        assert job.transitions[-1].message == (
            f"Starting the training job again (retry {retry} of 2) after: InternalServerError: the machine is on fire"
        )
        job = begin_run(job, 1021.0)
        job = told(place(job, "sandbox", 1022.0), 1, 1023.0, stage="Downloading", then="Training", at=1024.0)
    job = ends(job, 3, 1030.0, Outcome(ending="Failed", failure=OURS))
    assert (job.status, job.failure_reason, job.run) == ("Failed", "InternalServerError: the machine is on fire", 3)


@pytest.mark.parametrize("fault", ["algorithm", "client"])
def test_failures_of_others_are_not_retried(fault: Any) -> None:
    outcome = Outcome(ending="Failed", failure=Failure(fault=fault, message="no"))
    assert ends(running(max_retries=2, spot=True), 3, 1020.0, outcome).status == "Failed"


def test_a_job_waits_and_runs_no_longer_than_it_may() -> None:
    for job in (new_training_job(training_spec(spot=True, max_wait_seconds=50), 1000.0),
                running(spot=True, max_wait_seconds=50)):  # fmt: skip
        assert not exceeds_wait(job, 1049.0)
        assert end_wait(job, 1049.0) is job
        stopping = end_wait(job, 1050.0)
        assert (stopping.status, stopping.secondary_status) == ("Stopping", "Stopping")
        ended = (
            ends(stopping, 3, 1055.0, Outcome(ending="Stopped")) if job.runtime else finish_stopping(stopping, 1055.0)
        )
        assert isinstance(ended, TrainingJob)
        assert (ended.status, ended.secondary_status) == ("Stopped", "MaxWaitTimeExceeded")
    assert not exceeds_wait(running(), 1e9)


def test_a_job_is_without_instances_no_longer_than_it_may() -> None:
    waiting = new_training_job(training_spec(max_pending_seconds=1800), 1000.0)
    assert end_wait(waiting, 2799.0) is waiting
    stopped = finish_stopping(end_wait(waiting, 2800.0), 2801.0)
    assert isinstance(stopped, TrainingJob)
    assert (stopped.status, stopped.secondary_status) == ("Stopped", "Stopped")
    at_work = running(max_pending_seconds=1800, spot=True)
    assert not exceeds_wait(at_work, 1e9)
    again = begin_run(ends(at_work, 3, 5000.0, LOST), 5001.0)
    assert not exceeds_wait(again, 6800.0)
    assert exceeds_wait(again, 6801.0)
