"""How a training job moves: the time line that Describe shows, several instances, metrics, and stops."""

import pytest

from sagestone.domain.event import InstanceEvent, Outcome
from sagestone.domain.failure import Failure
from sagestone.domain.metric import MetricPoint
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import (
    TransitionRefused,
    advance,
    fail,
    finish_stopping,
    new_training_job,
    place,
    request_stop,
    wait_for_capacity,
)
from tests.documents import event, training_spec

COMPLETED = Outcome(ending="Completed", exit_code=0)
KEY = "training/job"


def failed(message: str, fault: str = "algorithm") -> Outcome:
    return Outcome(ending="Failed", exit_code=1, failure=Failure(fault=fault, message=message))  # type: ignore[arg-type]


def follow(job: TrainingJob, *events: InstanceEvent) -> TrainingJob:
    for one in events:
        after = advance(job, one)
        assert isinstance(after, TrainingJob)
        job = after
    return job


def line(job: TrainingJob) -> list[tuple[str, float, float | None, str]]:
    return [(entry.status, entry.started_at, entry.ended_at, entry.message) for entry in job.transitions]


def test_the_time_line_of_a_job_that_completes() -> None:
    job = follow(
        new_training_job(training_spec(), 100.0),
        event(KEY, 1, 101.0, stage="Starting", message="Preparing the instances for training"),
        event(KEY, 2, 141.0, stage="Downloading", message="Downloading the training image"),
        event(KEY, 3, 142.0, stage="Downloading", message="Downloading input data"),
        event(KEY, 4, 243.0, stage="Training"),
        event(KEY, 5, 253.0, stage="Uploading"),
        event(KEY, 6, 266.0, outcome=COMPLETED),
    )
    assert line(job) == [
        ("Starting", 100.0, 141.0, "Preparing the instances for training"),
        ("Downloading", 141.0, 243.0, "Downloading input data"),
        ("Training", 243.0, 253.0, "Training image download completed. Training in progress."),
        ("Uploading", 253.0, 266.0, "Uploading generated training model"),
        ("Completed", 266.0, 266.0, "Training job completed"),
    ]
    assert (job.status, job.secondary_status) == ("Completed", "Completed")
    assert (job.started_at, job.ended_at, job.modified_at) == (141.0, 266.0, 266.0)
    assert job.failure_reason is None


def test_a_job_that_fails_before_its_instances_are_there_has_no_start_time() -> None:
    reason = "Cannot pull algorithm container."
    job = follow(new_training_job(training_spec(), 100.0), event(KEY, 1, 103.0, outcome=failed(reason, "client")))
    assert [entry.status for entry in job.transitions] == ["Starting", "Failed"]
    assert (job.started_at, job.ended_at) == (None, 103.0)
    assert job.failure_reason == "ClientError: Cannot pull algorithm container."


def test_a_failing_program_still_passes_through_uploading() -> None:
    job = follow(
        new_training_job(training_spec(), 100.0),
        event(KEY, 1, 101.0, stage="Training"),
        event(KEY, 2, 102.0, stage="Uploading"),
        event(KEY, 3, 103.0, outcome=failed(", exit code: 1")),
    )
    assert [entry.status for entry in job.transitions] == ["Starting", "Training", "Uploading", "Failed"]
    assert job.failure_reason == "AlgorithmError: , exit code: 1"


def test_the_least_advanced_live_instance_says_where_the_job_is() -> None:
    job = new_training_job(training_spec(instances=2), 100.0)
    job = follow(job, event(KEY, 1, 101.0, instance=1, stage="Training"))
    assert job.secondary_status == "Starting"
    job = follow(job, event(KEY, 1, 102.0, instance=2, stage="Downloading", message="data"))
    assert (job.secondary_status, job.transitions[-1].message) == ("Downloading", "data")
    job = follow(job, event(KEY, 2, 103.0, instance=1, stage="Training", message="not for the job"))
    assert job.transitions[-1].message == "data"
    job = follow(job, event(KEY, 2, 104.0, instance=2, stage="Training"))
    assert job.secondary_status == "Training"
    job = follow(job, event(KEY, 3, 105.0, instance=2, outcome=COMPLETED))
    assert (job.status, job.secondary_status) == ("InProgress", "Training")
    job = follow(job, event(KEY, 3, 106.0, instance=1, stage="Uploading"), event(KEY, 4, 107.0, outcome=COMPLETED))
    assert job.status == "Completed"


def test_the_first_failure_by_time_is_the_jobs_whatever_is_heard_first() -> None:
    job = follow(
        new_training_job(training_spec(instances=3), 100.0),
        event(KEY, 1, 109.0, instance=2, outcome=failed("second")),
        event(KEY, 1, 107.0, instance=3, outcome=failed("first")),
    )
    assert job.status == "InProgress"
    job = follow(job, event(KEY, 1, 111.0, instance=1, outcome=Outcome(ending="Stopped")))
    assert (job.status, job.failure_reason) == ("Failed", "AlgorithmError: first")


def test_repeated_and_older_events_change_nothing() -> None:
    first, second = event(KEY, 1, 101.0, stage="Training"), event(KEY, 2, 102.0, message="m", stage="Training")
    job = follow(new_training_job(training_spec(), 100.0), first, second)
    assert advance(job, first) is job
    assert advance(job, second) is job


def test_an_agent_that_takes_up_its_container_does_not_set_the_job_back() -> None:
    job = follow(new_training_job(training_spec(), 100.0), event(KEY, 1, 101.0, stage="Training"))
    again = follow(job, event(KEY, 2, 102.0, stage="Starting", message="Starting the training job"))
    assert again.transitions == job.transitions


def test_an_instance_that_the_job_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"training/job has 1 instance\(s\), there is no algo-2"):
        advance(new_training_job(training_spec(), 100.0), event(KEY, 1, 101.0, instance=2, stage="Training"))


def test_stopping_keeps_what_is_uploaded() -> None:
    job = follow(new_training_job(training_spec(), 100.0), event(KEY, 1, 101.0, stage="Training"))
    stopping = request_stop(job, 105.0)
    assert (stopping.status, stopping.stop_requested_at) == ("Stopping", 105.0)
    assert request_stop(stopping, 106.0) is stopping
    assert isinstance(stopping, TrainingJob)
    end = follow(stopping, event(KEY, 2, 107.0, stage="Uploading"), event(KEY, 3, 108.0, outcome=COMPLETED))
    assert [(entry.status, entry.started_at) for entry in end.transitions] == [
        ("Starting", 100.0), ("Training", 101.0), ("Stopping", 105.0), ("Uploading", 107.0), ("Stopped", 108.0),
    ]  # fmt: skip
    assert (end.status, end.failure_reason) == ("Stopped", None)


def test_after_a_stop_the_exit_code_no_longer_counts_but_a_lost_artifact_does() -> None:
    stopping = request_stop(new_training_job(training_spec(), 100.0), 101.0)
    assert advance(stopping, event(KEY, 1, 102.0, outcome=failed(", exit code: 143"))).status == "Stopped"
    lost = advance(stopping, event(KEY, 1, 102.0, outcome=failed("Artifact upload failed:no", "client")))
    assert (lost.status, lost.failure_reason) == ("Failed", "ClientError: Artifact upload failed:no")


def test_the_end_of_the_allowed_time_is_a_stop_of_its_own_kind() -> None:
    job = new_training_job(training_spec(), 100.0)
    end = follow(job, event(KEY, 1, 160.0, outcome=Outcome(ending="MaxRuntimeExceeded")))
    assert (end.status, end.secondary_status, end.failure_reason) == ("Stopped", "MaxRuntimeExceeded", None)


def test_waiting_for_room_shows_as_pending_until_the_instances_are_there() -> None:
    job = wait_for_capacity(new_training_job(training_spec(), 100.0), 101.0)
    assert wait_for_capacity(job, 102.0) is job
    placed = place(job, "sandbox", 110.0)
    assert isinstance(placed, TrainingJob)
    assert placed.runtime == "sandbox"
    assert placed.transitions[-1].message == "Preparing the instances for training"
    begun = follow(placed, event(KEY, 1, 111.0, stage="Starting", message="Starting the training job"))
    assert begun.transitions == placed.transitions
    told = follow(begun, event(KEY, 2, 112.0, stage="Starting", message="Reaching the engine"))
    assert (told.secondary_status, told.transitions[-1].message) == ("Pending", "Reaching the engine")


def test_a_job_that_never_got_its_instances_stops_at_once() -> None:
    stopped = finish_stopping(request_stop(new_training_job(training_spec(), 100.0), 101.0), 102.0)
    assert (stopped.status, stopped.started_at, stopped.ended_at) == ("Stopped", None, 102.0)


def test_terminal_statuses_refuse() -> None:
    job = fail(new_training_job(training_spec(), 100.0), Failure(fault="internal", message="x"), 101.0)
    with pytest.raises(TransitionRefused, match="because the training job is in status Failed"):
        request_stop(job, 102.0)
    with pytest.raises(TransitionRefused):
        fail(job, Failure(fault="internal", message="y"), 102.0)
    assert advance(job, event(KEY, 1, 103.0, outcome=COMPLETED)) is job


def test_final_metrics_are_the_last_values_in_the_order_of_the_definitions_as_32_bit_floats() -> None:
    def point(name: str, value: float, at: float) -> MetricPoint:
        return MetricPoint(name=name, value=value, at=at)

    job = follow(
        new_training_job(training_spec(metrics=["loss", "acc", "never"]), 100.0),
        event(KEY, 1, 101.0, metrics=[point("acc", 0.5, 101.0), point("loss", 1.19876, 101.0)]),
        event(KEY, 2, 102.0, metrics=[point("acc", 0.0036, 102.0), point("acc", float("nan"), 103.0)]),
        event(KEY, 3, 103.0, metrics=[point("loss", 1e300, 104.0), point("other", 1.0, 104.0)]),
    )
    assert [(metric.name, metric.value) for metric in job.final_metrics] == [
        ("loss", 1.1987600326538086),
        ("acc", 0.003599999938160181),
    ]
