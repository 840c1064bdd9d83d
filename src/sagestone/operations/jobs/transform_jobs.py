"""DescribeTransformJob, ListTransformJobs and StopTransformJob."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe.transform_job import describe_transform_job as describe
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.jobs.jobs import not_found, stop_job
from sagestone.operations.list_query import list_page, page_answer
from sagestone.store.interface import JobRow
from sagestone.wire.call import Call


def describe_transform_job(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The job with everything that has happened to it; raises ValidationException where there is none."""
    job = deps.store.transform_job(call.parameters["TransformJobName"])
    if job is None:
        raise not_found()
    return describe(job)


def list_transform_jobs(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: ten by creation time, newest first, unless the request says otherwise."""
    page = list_page(deps.store.list_transform_jobs, call.parameters, order="Descending", page_size=10)
    return page_answer("TransformJobSummaries", [_summary(row) for row in page.rows], page.token)


def stop_transform_job(deps: Dependencies, call: Call) -> None:
    """Ask the job to stop and return at once; refused for a job that has ended."""
    stop_job(deps, f"transform/{call.parameters['TransformJobName']}")


def _summary(row: JobRow) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "TransformJobName": row.name,
        "TransformJobArn": row.arn,
        "CreationTime": round(row.created_at, 3),
        "LastModifiedTime": round(row.modified_at, 3),
        "TransformJobStatus": row.status,
    }
    if row.ended_at is not None:
        shown["TransformEndTime"] = round(row.ended_at, 3)
    if row.failure_reason is not None:
        shown["FailureReason"] = row.failure_reason
    return shown
