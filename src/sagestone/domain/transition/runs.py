"""How a training job runs more than once: spot capacity that is taken away, and failures of ours that are retried.

A run that is over but not the job's last: `run_over` is set, what it left on the machines is put away, then `begin_run`
starts the next one with fresh instances. Every step is stored before the next, so a crash in between repeats it.
"""

from dataclasses import replace

from sagestone.domain.failure import LONGEST_REASON
from sagestone.domain.training_job import InstanceState, TrainingJob
from sagestone.domain.transition.instances import Verdict
from sagestone.domain.transition.rules import TransitionRefused
from sagestone.domain.transition.timeline import enter

_LOST = "Training job interrupted: its spot capacity was taken away"


def request_interruption(job: TrainingJob, at: float) -> TrainingJob:
    """The capacity of a spot job is to be taken away; a second request changes nothing. Refuses other jobs."""
    if not job.spec.spot:
        raise TransitionRefused(
            f"Training job {job.spec.name} cannot be interrupted: it does not run with EnableManagedSpotTraining",
            job.status,
        )
    if job.status != "InProgress" or job.runtime is None:
        what = "it has no instances yet" if job.status == "InProgress" else f"it is in status {job.status}"
        raise TransitionRefused(f"Training job {job.spec.name} cannot be interrupted: {what}", job.status)
    if job.interrupting or job.run_over:
        return job
    return replace(job, interrupting=True, modified_at=max(at, job.modified_at))


def runs_again(job: TrainingJob, ended: Verdict) -> bool:
    """Whether a job that is not being stopped runs again after its run ended so."""
    if job.status != "InProgress":
        return False
    if ended.ending == "Interrupted":
        return True
    ours = ended.failure is not None and ended.failure.fault == "internal"
    return ours and job.retries < job.spec.max_retries


def end_run(job: TrainingJob, ended: Verdict, at: float) -> TrainingJob:
    """The run is over: Interrupted, or Starting again where a failure of ours is retried."""
    if ended.ending == "Interrupted":
        job = enter(job, "Interrupted", _LOST, at)
    else:
        reason = ended.failure.reason if ended.failure else ""
        text = f"Starting the training job again (retry {job.retries + 1} of {job.spec.max_retries}) after: {reason}"
        job = replace(enter(job, "Starting", text[:LONGEST_REASON], at), retries=job.retries + 1)
    return replace(
        job,
        run_over=True,
        used_seconds=job.used_seconds + _seconds_of_run(job, at),
        run_started_at=None,
    )


def begin_run(job: TrainingJob, at: float) -> TrainingJob:
    """The next run, once nothing is left of the one before; a job that is to stop meanwhile stays so."""
    if not job.run_over:
        return job
    job = replace(
        job,
        run=job.run + 1,
        run_over=False,
        interrupting=False,
        runtime=None,
        instances=(InstanceState(),) * job.spec.instance_count,
        modified_at=max(at, job.modified_at),
    )
    return job if job.status == "Stopping" else enter(job, "Starting", "", at)


def exceeds_wait(job: TrainingJob, now: float) -> bool:
    """Whether the job has waited and run longer than MaxWaitTimeInSeconds, or waited longer than
    MaxPendingTimeInSeconds, allows."""
    return job.status == "InProgress" and (_exceeds_whole_wait(job, now) or _exceeds_pending(job, now))


def end_wait(job: TrainingJob, at: float) -> TrainingJob:
    """InProgress → Stopping, to end as MaxWaitTimeExceeded or, where it only waited, Stopped; else no change."""
    if not exceeds_wait(job, at):
        return job
    return replace(
        enter(job, "Stopping", "", at),
        status="Stopping",
        stop_requested_at=at,
        waited_too_long=_exceeds_whole_wait(job, at),
    )


def _exceeds_whole_wait(job: TrainingJob, now: float) -> bool:
    longest = job.spec.max_wait_seconds
    return longest is not None and now >= job.created_at + longest


def _exceeds_pending(job: TrainingJob, now: float) -> bool:
    longest = job.spec.max_pending_seconds
    if longest is None or job.runtime is not None or job.run_over:
        return False
    waits_since = max(entry.started_at for entry in job.transitions if entry.status == "Starting")
    return now >= waits_since + longest


def time_in_runs(job: TrainingJob) -> float:
    """Seconds that the job's runs took together, from Downloading on; what lay between them does not count."""
    return job.used_seconds + (_seconds_of_run(job, job.ended_at) if job.ended_at is not None else 0.0)


def _seconds_of_run(job: TrainingJob, at: float) -> float:
    return 0.0 if job.run_started_at is None else max(0.0, at - job.run_started_at)
