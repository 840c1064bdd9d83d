"""What comes next in the validation of an algorithm or a model package: pure and total functions of what is stored."""

from dataclasses import dataclass

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.model import Model
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.training_job import TrainingJob, TrainingJobSpec
from sagestone.domain.transform_job import TransformJob, TransformJobSpec


@dataclass(frozen=True, slots=True)
class Begin:
    """It is Pending: validation begins."""


@dataclass(frozen=True, slots=True)
class StartTraining:
    """The training job is to be created."""

    spec: TrainingJobSpec


@dataclass(frozen=True, slots=True)
class MakeModel:
    """What is to be served is there: the model is to be created."""

    model: Model


@dataclass(frozen=True, slots=True)
class StartTransform:
    """The model is there: the transform job is to be created."""

    spec: TransformJobSpec


@dataclass(frozen=True, slots=True)
class Wait:
    """The job with that key runs; None: there is nothing to do at all."""

    job: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """Validation is over: well when there is no reason, else Failed with it."""

    failure_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """It is Deleting: it is to be taken away."""


Step = Begin | StartTraining | MakeModel | StartTransform | Wait | Finish | Remove


def next_step(
    algorithm: Algorithm, training_job: TrainingJob | None, transform_job: TransformJob | None, *, has_model: bool
) -> Step:
    """The next step for an algorithm and the jobs of its plan, None where a job is not created yet.

    Order of the service: the training job, the model of what it trained, then the transform job with that model. An
    algorithm without a profile has nothing to run and is Completed.
    """
    if algorithm.status == "Deleting":
        return Remove()
    if algorithm.status == "Pending":
        return Begin()
    if algorithm.status in ("Completed", "Failed"):
        return Wait()
    plan = algorithm.plan
    if plan is None:
        return Finish()
    if training_job is None:
        return StartTraining(plan.training)
    if not training_job.finished:
        return Wait(training_job.spec.key)
    if training_job.status != "Completed":
        return Finish(failure_reason(training_job))
    if plan.transform is None:
        return Finish()
    return _serving_step(plan.model, plan.transform, transform_job, has_model)


def next_package_step(package: ModelPackage, transform_job: TransformJob | None, *, has_model: bool) -> Step:
    """The next step for a model package: its model, then the transform job; without a profile it is Completed."""
    if package.status == "Deleting":
        return Remove()
    if package.status == "Pending":
        return Begin()
    if package.status in ("Completed", "Failed"):
        return Wait()
    if package.plan is None:
        return Finish()
    return _serving_step(package.plan.model, package.plan.transform, transform_job, has_model)


def _serving_step(model: Model | None, spec: TransformJobSpec, job: TransformJob | None, has_model: bool) -> Step:
    if job is None:
        return MakeModel(model) if model is not None and not has_model else StartTransform(spec)
    if not job.finished:
        return Wait(job.spec.key)
    return Finish(None if job.status == "Completed" else failure_reason(job))


def failure_reason(job: TrainingJob | TransformJob) -> str:
    """Why a job that ended otherwise than Completed failed the validation: which job, and its own reason.

    The service opens such a reason with `Client error: ` and the job's own text (observed on model packages); a fault
    of ours is told as such.
    """
    kind = "Training" if isinstance(job, TrainingJob) else "Transform"
    subject = f"{kind} job {job.spec.name}"
    if job.status == "Failed":
        reason = job.failure_reason or "no reason was recorded"
        opening = "Internal error" if reason.startswith("InternalServerError") else "Client error"
        return f"{opening}: {subject} failed: {reason}"
    if isinstance(job, TrainingJob) and job.secondary_status == "MaxRuntimeExceeded":
        seconds = job.spec.max_runtime_seconds
        return f"Client error: {subject} was stopped at MaxRuntimeInSeconds ({seconds} s) before it completed"
    return f"Client error: {subject} was stopped before it completed"
