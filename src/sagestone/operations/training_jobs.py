"""DescribeTrainingJob, ListTrainingJobs and StopTrainingJob."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe_training_job import describe_training_job as describe
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.jobs import not_found, stop_job
from sagestone.operations.list_query import list_page, page_answer
from sagestone.store.interface import JobRow
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def describe_training_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The job with everything that has happened to it; raises ValidationException where there is none."""
    job = deps.store.training_job(call.parameters["TrainingJobName"])
    if job is None:
        raise not_found()
    return describe(job)


def list_training_jobs(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: by creation time, oldest first, unless the request says otherwise."""
    for name in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if call.parameters.get(name) is not None:
            raise ValidationException(
                f"{name} is not supported yet: there are no warm pools and no training plans here; leave it out"
            )
    page = list_page(deps.store.list_training_jobs, call.parameters)
    return page_answer("TrainingJobSummaries", [_summary(row) for row in page.rows], page.token)


def stop_training_job(deps: Dependencies, call: Call) -> None:
    """Ask the job to stop and return at once; refused for a job that has ended."""
    stop_job(deps, f"training/{call.parameters['TrainingJobName']}")


def _summary(row: JobRow) -> dict[str, Any]:
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
    return shown
