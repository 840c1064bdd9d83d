"""DescribeTrainingJob, ListTrainingJobs, StopTrainingJob, DeleteTrainingJob and UpdateTrainingJob."""

from collections.abc import Mapping
from typing import Any, Final, cast

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.describe.training_job import describe_training_job as describe
from sagestone.domain.describe.training_job import describe_warm_pool
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import TransitionRefused, keep_pool, request_job_delete
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.jobs.jobs import not_found, stop_job
from sagestone.operations.list_query import list_page, page_answer
from sagestone.store.interface import JobRow, NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ResourceInUse, ResourceNotFound, ValidationException

#: Why a member of UpdateTrainingJob is refused.
_FIXED: Final = {
    "ProfilerConfig": "there is no profiler here",
    "ProfilerRuleConfigurations": "there is no profiler here",
    "RemoteDebugConfig": "there is no way into a running container",
}


def describe_training_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The job with everything that has happened to it; raises ValidationException where there is none."""
    job = deps.store.training_job(call.parameters["TrainingJobName"])
    if job is None:
        raise not_found()
    return describe(job)


def list_training_jobs(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: by creation time, oldest first, unless the request says otherwise."""
    if call.parameters.get("TrainingPlanArnEquals") is not None:
        raise ValidationException(
            "TrainingPlanArnEquals is not supported yet: there are no training plans here; leave it out"
        )
    page = list_page(deps.store.list_training_jobs, call.parameters)
    return page_answer("TrainingJobSummaries", [_summary(deps, row) for row in page.rows], page.token)


def stop_training_job(deps: Dependencies, call: Call) -> None:
    """Ask the job to stop and return at once; refused for a job that has ended."""
    stop_job(deps, f"training/{call.parameters['TrainingJobName']}")


def delete_training_job(deps: Dependencies, call: Call) -> None:
    """Put the job into Deleting; the controller takes it away, and its name is free. Logs and S3 objects stay.

    Raises ResourceNotFound where there is none, ResourceInUse while it runs and while a validation needs it.
    """
    now = deps.clock()
    job = _found(deps, call.parameters["TrainingJobName"])
    algorithm = _validating(deps, job)
    if algorithm is not None:
        raise ResourceInUse(f"The training job is part of the validation of {algorithm.arn}, which is in progress.")
    try:
        deps.store.change_job(job.spec.key, lambda known: request_job_delete(cast(TrainingJob, known), now))
    except NotFound:
        raise ResourceNotFound("Requested resource not found.") from None
    except TransitionRefused as refusal:
        raise ResourceInUse(str(refusal)) from None
    deps.hint()


def update_training_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Change how long the Available warm pool of the job is kept; the rest of a job is refused with the reason.

    Raises ResourceNotFound where there is no such job.
    """
    job = _found(deps, call.parameters["TrainingJobName"])
    asked = {
        **call.parameters,
        "RemoteDebugConfig": (call.parameters.get("RemoteDebugConfig") or {}).get("EnableRemoteDebug"),
    }
    fixed = [f"{name}: {why}" for name, why in _FIXED.items() if asked.get(name)]
    if fixed:
        raise ValidationException(f"Training job {job.spec.name} cannot be updated: {'; '.join(fixed)}")
    resources = call.parameters.get("ResourceConfig")
    if resources is not None:
        seconds, now = resources["KeepAlivePeriodInSeconds"], deps.clock()
        try:
            deps.store.change_job(job.spec.key, lambda known: keep_pool(cast(TrainingJob, known), seconds, now))
        except TransitionRefused as refusal:
            raise ValidationException(
                f"KeepAlivePeriodInSeconds can be changed only while a warm pool is Available: {refusal}"
            ) from None
        deps.hint()
    return {"TrainingJobArn": job.spec.arn}


def _found(deps: Dependencies, name: str) -> TrainingJob:
    job = deps.store.training_job(name)
    if job is None:
        raise ResourceNotFound("Requested resource not found.")
    return job


def _validating(deps: Dependencies, job: TrainingJob) -> Algorithm | None:
    """The algorithm whose validation is under way and needs this very job."""
    if job.spec.profile_name is None or job.spec.algorithm_name is None:
        return None
    algorithm = deps.store.algorithm(job.spec.algorithm_name)
    if algorithm is None or algorithm.plan is None or algorithm.plan.training.name != job.spec.name:
        return None
    return algorithm if algorithm.status in ("Pending", "InProgress") else None


def _summary(deps: Dependencies, row: JobRow) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "TrainingJobName": row.name,
        "TrainingJobArn": row.arn,
        "CreationTime": round(row.created_at, 3),
        "LastModifiedTime": round(row.modified_at, 3),
        "TrainingJobStatus": row.status,
    }
    if row.secondary_status is not None:
        shown["SecondaryStatus"] = row.secondary_status
    if row.ended_at is not None:
        shown["TrainingEndTime"] = round(row.ended_at, 3)
    if row.warm_pool is not None:  # of few jobs; a row says less than the pool itself
        job = deps.store.training_job(row.name)
        pool = job.warm_pool if job is not None else None
        shown["WarmPoolStatus"] = describe_warm_pool(pool) if pool is not None else {"Status": row.warm_pool}
    return shown
