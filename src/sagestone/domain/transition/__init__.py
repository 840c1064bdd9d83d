"""The only place that changes a status.

An algorithm or a model package, and the item of its validation profile beside it:

    Pending ──begin_validation──▶ InProgress ──complete_validation──▶ Completed ──request_delete──▶ Deleting ──▶ (gone)
    NotStarted                    InProgress ──fail_validation──────▶ Failed    ──request_delete──▶ Deleting

A training or transform job:

    InProgress ──advance──▶ Completed | Failed | Stopped (MaxRuntimeExceeded)
        │  └────fail──────▶ Failed
        └─request_stop─▶ Stopping ──advance, finish_stopping──▶ Stopped
                            └──────advance, fail──────────────▶ Failed (its result could not be kept)
    Completed | Failed | Stopped ──request_job_delete──▶ Deleting ──▶ (gone; training jobs only)

The secondary status of a training job, along the time line that Describe shows:

    Starting ─▶ [Pending] ─▶ Downloading ─▶ Training ─▶ Uploading ─▶ Completed | Failed | MaxRuntimeExceeded
        any of these ─▶ Stopping ─▶ [Uploading] ─▶ Stopped | MaxWaitTimeExceeded
        any of these ─▶ Interrupted ─▶ Starting …         (spot; `transition_runs`)
        any of these ─▶ Starting …                        (a failure of ours, where the job has retries left)

A job is where its least advanced live instance is; it ends when all its instances have ended; the first failure is
the job's. Completed, Failed and Stopped refuse every change but their removal. The tables are in `transition_rules`.
"""

from dataclasses import replace

from sagestone.domain.event import InstanceEvent
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition.instances import Verdict
from sagestone.domain.transition.pools import end_pool, keep_pool, matches, reuse_pool
from sagestone.domain.transition.rules import TransitionRefused, check_job_move
from sagestone.domain.transition.runs import begin_run, end_wait, exceeds_wait, request_interruption
from sagestone.domain.transition.timeline import enter
from sagestone.domain.transition.training import advance_training, finish_training, new_training_job
from sagestone.domain.transition.transform import advance_transform, finish_transform, new_transform_job
from sagestone.domain.transition.validation import (
    approve,
    begin_validation,
    complete_validation,
    fail_validation,
    request_delete,
)

__all__ = [
    "TransitionRefused", "advance", "approve", "begin_run", "begin_validation", "complete_validation",
    "end_pool", "end_wait", "exceeds_wait", "fail", "fail_validation", "finish_stopping", "keep_pool",
    "matches", "new_training_job", "new_transform_job", "place", "request_delete", "request_interruption",
    "request_job_delete", "request_stop", "reuse_pool", "wait_for_capacity",
]  # fmt: skip

Job = TrainingJob | TransformJob


def place(job: Job, runtime: str, at: float) -> Job:
    """The job has its instances: `runtime` will run it."""
    if job.finished:
        raise TransitionRefused(f"job {job.spec.key} is {job.status}", job.status)
    if isinstance(job, TransformJob):
        return replace(job, runtime=runtime, modified_at=max(at, job.modified_at))
    placed = replace(job, runtime=runtime, modified_at=max(at, job.modified_at))
    if placed.secondary_status not in ("Starting", "Pending"):
        return placed
    return enter(placed, placed.secondary_status, "Preparing the instances for training", at)


def wait_for_capacity(job: Job, at: float) -> Job:
    """The job has to wait: a training job shows Pending. The same object when it does so already."""
    if job.finished:
        raise TransitionRefused(f"job {job.spec.key} is {job.status}", job.status)
    if isinstance(job, TrainingJob):
        return enter(job, "Pending", "", at) if job.secondary_status == "Starting" else job
    text = "Waiting for capacity"
    return job if job.message == text else replace(job, message=text, modified_at=max(at, job.modified_at))


def advance(job: Job, event: InstanceEvent) -> Job:
    """The job after one event of one instance.

    The same object when the event was counted before, or when the job has ended: late news changes nothing.
    """
    return advance_training(job, event) if isinstance(job, TrainingJob) else advance_transform(job, event)


def request_stop(job: Job, at: float) -> Job:
    """InProgress → Stopping at once; a second request changes nothing; a job that has ended refuses."""
    if job.status == "Stopping":
        return job
    kind = "training" if isinstance(job, TrainingJob) else "transform"
    if job.finished:
        raise TransitionRefused(
            f"The request was rejected because the {kind} job is in status {job.status}.", job.status
        )
    check_job_move(job.spec.key, job.status, "Stopping")
    at = max(at, job.modified_at)
    if isinstance(job, TransformJob):
        return replace(job, status="Stopping", stop_requested_at=at, modified_at=at)
    return replace(enter(job, "Stopping", "", at), status="Stopping", stop_requested_at=at)


def request_job_delete(job: TrainingJob, at: float) -> TrainingJob:
    """Completed, Failed or Stopped → Deleting; a second request changes nothing, a job that still runs refuses.

    So does one whose warm pool is Available (documented).
    """
    if job.status == "Deleting":
        return job
    if job.warm_pool is not None and job.warm_pool.status == "Available":
        raise TransitionRefused(
            f"The warm pool of training job {job.spec.name} is Available; end it first with UpdateTrainingJob and a "
            "KeepAlivePeriodInSeconds of 0, or wait for its end.",
            "Available",
        )
    if not job.finished:
        raise TransitionRefused(
            f"The request was rejected because the training job is in status {job.status}; stop it first, or wait for "
            "its end.",
            job.status,
        )
    check_job_move(job.spec.key, job.status, "Deleting")
    return replace(job, status="Deleting", modified_at=max(at, job.modified_at))


def finish_stopping(job: Job, at: float) -> Job:
    """Stopping → Stopped for a job that never got its instances."""
    if job.status != "Stopping":
        raise TransitionRefused(f"job {job.spec.key} is {job.status}, not Stopping", job.status)
    return _finish(job, Verdict(ending="Stopped"), at)


def fail(job: Job, failure: Failure, at: float) -> Job:
    """The job Failed for a reason that no instance told; raises TransitionRefused when it has ended."""
    return _finish(job, Verdict(ending="Failed", failure=failure), at)


def _finish(job: Job, ended: Verdict, at: float) -> Job:
    return finish_training(job, ended, at) if isinstance(job, TrainingJob) else finish_transform(job, ended, at)
