"""What DescribeTransformJob answers for a job, from its request and from what has happened to it."""

from typing import Any

from sagestone.domain.transform_job import TransformJob

#: Members of the request that are given back as they came.
ECHOED = (
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "DataCaptureConfig",
    "DataProcessing",
    "ExperimentConfig",
)


def describe_transform_job(job: TransformJob) -> dict[str, Any]:
    """The DescribeTransformJob answer; times are epoch seconds with milliseconds.

    No member of this answer can tell the runtime; the training job of the same validation tells it.
    """
    spec, request = job.spec, job.spec.request
    answer: dict[str, Any] = {
        "TransformJobName": spec.name,
        "TransformJobArn": spec.arn,
        "TransformJobStatus": job.status,
        "ModelName": spec.model_name,
        **{name: request[name] for name in ECHOED if request.get(name) is not None},
        "TransformInput": _input(job),
        "TransformOutput": {
            "S3OutputPath": spec.output_uri,
            "AssembleWith": "None",
            **request.get("TransformOutput", {}),
            "KmsKeyId": request.get("TransformOutput", {}).get("KmsKeyId") or "",
        },
        "TransformResources": _resources(job),
        "CreationTime": round(job.created_at, 3),
    }
    if job.failure_reason is not None:
        answer["FailureReason"] = job.failure_reason
    if job.started_at is not None:
        answer["TransformStartTime"] = round(job.started_at, 3)
    if job.ended_at is not None:
        answer["TransformEndTime"] = round(job.ended_at, 3)
    return answer


def _input(job: TransformJob) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": job.spec.s3_data_type, "S3Uri": job.spec.s3_uri}}
    return {
        "DataSource": source,
        "CompressionType": "None",
        "SplitType": "None",
        **job.spec.request.get("TransformInput", {}),
    }


def _resources(job: TransformJob) -> dict[str, Any]:
    shown = {
        "InstanceType": job.spec.instance_type,
        "InstanceCount": job.spec.instance_count,
        **job.spec.request.get("TransformResources", {}),
    }
    if not shown.get("VolumeKmsKeyId"):
        shown.pop("VolumeKmsKeyId", None)
    return shown
