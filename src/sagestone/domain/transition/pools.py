"""How a training job's warm pool moves: InUse → Available → Reused or Terminated; or Terminated at once."""

from dataclasses import replace
from typing import Any

from sagestone.domain.training_job import TrainingJob, TrainingJobSpec
from sagestone.domain.transition.instances import Verdict
from sagestone.domain.transition.rules import TransitionRefused
from sagestone.domain.warm_pool import WarmPool


def matches(kept: TrainingJobSpec, wanted: TrainingJobSpec) -> bool:
    """Whether a job can take over the instances of another: image, data and hyperparameters may differ (documented)."""
    return not wanted.spot and not wanted.instance_groups and _shape(kept) == _shape(wanted)


def _shape(spec: TrainingJobSpec) -> tuple[Any, ...]:
    vpc = spec.request.get("VpcConfig") or {}
    return (
        spec.role_arn,
        spec.instance_type,
        spec.instance_count,
        spec.volume_gb,
        spec.volume_kms_key_id,
        sorted(vpc.get("SecurityGroupIds", ())),
        sorted(vpc.get("Subnets", ())),
        bool(spec.request.get("EnableInterContainerTrafficEncryption")),
        spec.isolated,
    )


def retain(job: TrainingJob, ended: Verdict, at: float) -> TrainingJob:
    """The job, in its terminal status, with its pool Available; Terminated where it was not to be kept.

    It is kept when the job Completed, was stopped after its launch, or failed by its own fault (documented).
    """
    pool = job.warm_pool
    if pool is None:
        return job
    ours = ended.failure is not None and ended.failure.fault == "internal"
    if job.runtime is None or ours:
        return replace(job, warm_pool=replace(pool, status="Terminated", retained_at=at, ended_at=at))
    job = _tell(job, "Resource retained for reuse", at)
    return replace(job, warm_pool=replace(pool, status="Available", retained_at=at))


def reuse_pool(job: TrainingJob, by: str, at: float) -> TrainingJob:
    """Available → Reused by the job of that name; raises TransitionRefused where it is not Available any more."""
    pool = _available(job)
    if pool.has_expired(at):
        raise TransitionRefused(f"the warm pool of {job.spec.name} has expired", "Available")
    job = _tell(job, f"Resource reused by training job: {by}", at)
    return replace(job, warm_pool=replace(pool, status="Reused", reused_by=by, ended_at=at))


def end_pool(job: TrainingJob, at: float) -> TrainingJob:
    """Available → Terminated; another status changes nothing."""
    pool = job.warm_pool
    if pool is None or pool.status != "Available":
        return job
    return replace(job, warm_pool=replace(pool, status="Terminated", ended_at=at), modified_at=max(at, job.modified_at))


def keep_pool(job: TrainingJob, seconds: int, at: float) -> TrainingJob:
    """The pool is kept for so many seconds from the job's end; raises TransitionRefused where it is not Available."""
    pool = _available(job)
    return replace(job, warm_pool=replace(pool, keep_alive_seconds=seconds), modified_at=max(at, job.modified_at))


def _available(job: TrainingJob) -> WarmPool:
    pool = job.warm_pool
    if pool is None:
        raise TransitionRefused(f"Training job {job.spec.name} has no warm pool", job.status)
    if pool.status != "Available":
        raise TransitionRefused(f"The warm pool of training job {job.spec.name} is {pool.status}", pool.status)
    return pool


def _tell(job: TrainingJob, message: str, at: float) -> TrainingJob:
    """The last entry of the time line says what became of the instances; its times stay."""
    last = replace(job.transitions[-1], message=message)
    return replace(job, transitions=(*job.transitions[:-1], last), modified_at=max(at, job.modified_at))
