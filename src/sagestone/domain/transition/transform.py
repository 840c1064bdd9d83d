"""How a transform job moves: it has no secondary statuses, only a status, its times and the last message."""

from dataclasses import replace

from sagestone.domain.event import InstanceEvent
from sagestone.domain.training_job import InstanceState
from sagestone.domain.transform_job import TransformJob, TransformJobSpec
from sagestone.domain.transition.instances import Verdict, note_event, verdict
from sagestone.domain.transition.rules import ENDED_STATUS, check_job_move


def new_transform_job(spec: TransformJobSpec, at: float) -> TransformJob:
    """A job at its CreationTime: InProgress."""
    return TransformJob(spec=spec, created_at=at, modified_at=at, instances=(InstanceState(),) * spec.instance_count)


def advance_transform(job: TransformJob, event: InstanceEvent) -> TransformJob:
    """The job after `event`; the same object when the event counted before or the job has ended."""
    instances = None if job.finished else note_event(job.instances, event)
    if instances is None:
        return job
    at = max(event.at, job.modified_at)
    started = job.started_at
    if started is None and event.stage not in (None, "Starting"):
        started = at  # TransformStartTime: the instances are there
    job = replace(job, instances=instances, modified_at=at, started_at=started, message=event.message or job.message)
    ended = verdict(instances, stopping=job.status == "Stopping")
    return finish_transform(job, ended, at) if ended else job


def finish_transform(job: TransformJob, ended: Verdict, at: float) -> TransformJob:
    """The job in its terminal status at TransformEndTime."""
    status = ENDED_STATUS[ended.ending]
    check_job_move(job.spec.key, job.status, status)
    at = max(at, job.modified_at)
    return replace(
        job,
        status=status,
        modified_at=at,
        ended_at=at,
        failure_reason=ended.failure.reason if ended.failure else None,
    )
