"""How a training job moves: secondary statuses, their time line, and the final metrics."""

import math
import struct
from collections.abc import Sequence
from dataclasses import replace

from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.training_job import InstanceState, TrainingJob, TrainingJobSpec, Transition
from sagestone.domain.transition.instances import Verdict, least_advanced, note_event, verdict
from sagestone.domain.transition.pools import retain
from sagestone.domain.transition.rules import ENDED_STATUS, SECONDARY_RANK, TRAINING_MESSAGES, check_job_move
from sagestone.domain.transition.runs import end_run, runs_again
from sagestone.domain.transition.timeline import enter
from sagestone.domain.warm_pool import WarmPool


def new_training_job(spec: TrainingJobSpec, at: float) -> TrainingJob:
    """A job at its CreationTime: InProgress, Starting."""
    return TrainingJob(
        spec=spec,
        created_at=at,
        modified_at=at,
        transitions=(Transition(status="Starting", started_at=at, message=TRAINING_MESSAGES["Starting"]),),
        instances=(InstanceState(),) * spec.instance_count,
        warm_pool=WarmPool(keep_alive_seconds=spec.keep_alive_seconds) if spec.keep_alive_seconds else None,
    )


def advance_training(job: TrainingJob, event: InstanceEvent) -> TrainingJob:
    """The job after `event`; the same object when the event counted before, or the job or this run of it has ended."""
    instances = None if job.finished or job.run_over else note_event(job.instances, event)
    if instances is None:
        return job
    at = max(event.at, job.modified_at)
    job = replace(
        job,
        instances=instances,
        modified_at=at,
        final_metrics=_latest_metrics(job.final_metrics, event.metrics, job.spec.metric_definitions),
    )
    ended = verdict(instances, stopping=job.status == "Stopping")
    return finish_training(job, ended, at) if ended else _follow_instances(job, event, at)


def finish_training(job: TrainingJob, ended: Verdict, at: float) -> TrainingJob:
    """The job in its terminal status, unless it runs again; the last entry starts and ends at TrainingEndTime."""
    at = max(at, job.modified_at)
    if runs_again(job, ended):
        return end_run(job, ended, at)
    ending = "MaxWaitTimeExceeded" if ended.ending == "Stopped" and job.waited_too_long else ended.ending
    status = ENDED_STATUS[ending]
    check_job_move(job.spec.key, job.status, status)
    job = enter(job, ending, "", at)
    last = replace(job.transitions[-1], ended_at=at)
    job = replace(
        job,
        status=status,
        transitions=(*job.transitions[:-1], last),
        ended_at=at,
        failure_reason=ended.failure.reason if ended.failure else None,
    )
    return retain(job, ended, at)


def _follow_instances(job: TrainingJob, event: InstanceEvent, at: float) -> TrainingJob:
    """The job is where its least advanced live instance is, unless it is further already (Pending, Stopping)."""
    least = least_advanced(job.instances)
    if least is None or least.stage is None:
        return job
    message = event.message if event.stage == least.stage else ""
    if message == TRAINING_MESSAGES["Starting"]:
        message = ""  # the agent begins; the job has done so before
    if SECONDARY_RANK[least.stage] > SECONDARY_RANK[job.secondary_status]:
        return enter(job, least.stage, message or least.message, at)
    waited = (least.stage, job.secondary_status) == ("Starting", "Pending")
    if message and (waited or least.stage == job.secondary_status):
        return enter(job, job.secondary_status, message, at)
    return job


def _latest_metrics(
    known: Sequence[MetricPoint], fresh: Sequence[MetricPoint], definitions: Sequence[MetricDefinition]
) -> tuple[MetricPoint, ...]:
    """The last value of each name by the time of its line, in the order of MetricDefinitions, as 32-bit floats."""
    latest = {point.name: point for point in known}
    for point in fresh:
        value = _float32(point.value)
        if value is not None and (point.name not in latest or point.at >= latest[point.name].at):
            latest[point.name] = replace(point, value=value)
    return tuple(latest[definition.name] for definition in definitions if definition.name in latest)


def _float32(value: float) -> float | None:
    """The nearest 32-bit float; None for what JSON has no number for."""
    if not math.isfinite(value):
        return None
    try:
        (narrow,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return None
    return float(narrow)
