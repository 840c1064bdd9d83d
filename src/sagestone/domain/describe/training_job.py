"""What DescribeTrainingJob answers for a job, from its request and from what has happened to it."""

from collections.abc import Mapping
from typing import Any, Final

from sagestone.domain.plan.training import DEFAULT_RUN
from sagestone.domain.training_job import TrainingJob, Transition
from sagestone.domain.transition.runs import time_in_runs
from sagestone.domain.warm_pool import WarmPool

Members = Mapping[str, Any]

#: Members of the request that are shown as they were given, and only then.
_ECHOED: Final = (
    "HyperParameters",
    "Environment",
    "VpcConfig",
    "CheckpointConfig",
    "RetryStrategy",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "ExperimentConfig",
    "RemoteDebugConfig",
    "InfraCheckConfig",
)


def describe_training_job(job: TrainingJob) -> dict[str, Any]:
    """The DescribeTrainingJob answer; times are epoch seconds with milliseconds.

    The request is echoed with the fillings of the service (`CompressionType: None`, `RecordWrapperType: None`,
    `KmsKeyId: ""` …). The runtime that runs the job is told at the end of the message of its first transition.
    """
    spec, request = job.spec, job.spec.request
    answer: dict[str, Any] = {
        "TrainingJobName": spec.name,
        "TrainingJobArn": spec.arn,
        "ModelArtifacts": {"S3ModelArtifacts": _artifact(job)},
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
        "AlgorithmSpecification": _algorithm(job),
        "RoleArn": spec.role_arn,
        "OutputDataConfig": {
            "S3OutputPath": spec.output_uri,
            **request.get("OutputDataConfig", {}),
            "KmsKeyId": request.get("OutputDataConfig", {}).get("KmsKeyId") or "",
            "CompressionType": spec.output_compression,
        },
        "ResourceConfig": _resources(job),
        "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_RUN, **request.get("StoppingCondition", {})},
        "CreationTime": round(job.created_at, 3),
        "LastModifiedTime": round(job.modified_at, 3),
        "SecondaryStatusTransitions": _transitions(job),
        "EnableNetworkIsolation": spec.isolated,
        "EnableInterContainerTrafficEncryption": bool(request.get("EnableInterContainerTrafficEncryption")),
        "EnableManagedSpotTraining": bool(request.get("EnableManagedSpotTraining")),
    }
    answer |= {name: request[name] for name in _ECHOED if request.get(name)}
    if request.get("InputDataConfig"):
        answer["InputDataConfig"] = [_channel(channel) for channel in request["InputDataConfig"]]
    if request.get("ProfilerConfig"):
        answer["ProfilingStatus"] = "Disabled"  # whatever was asked: there is no profiler here
    if job.warm_pool is not None:
        answer["WarmPoolStatus"] = describe_warm_pool(job.warm_pool)
    if job.failure_reason is not None:
        answer["FailureReason"] = job.failure_reason
    if job.final_metrics:
        answer["FinalMetricDataList"] = [
            {"MetricName": point.name, "Value": point.value, "Timestamp": int(point.at)}  # whole seconds, as observed
            for point in job.final_metrics
        ]
    return answer | _times(job)


def describe_warm_pool(pool: WarmPool) -> dict[str, Any]:
    """The WarmPoolStatus of a job, in its description and in lists."""
    shown: dict[str, Any] = {"Status": pool.status}
    if pool.ended_at is not None:
        shown["ResourceRetainedBillableTimeInSeconds"] = pool.retained_seconds
    if pool.reused_by is not None:
        shown["ReusedByJob"] = pool.reused_by
    return shown


def _algorithm(job: TrainingJob) -> dict[str, Any]:
    """As given, with the metric definitions that hold: an algorithm brings its own, and they are listed (observed)."""
    shown: dict[str, Any] = {
        "TrainingInputMode": job.spec.input_mode,
        "EnableSageMakerMetricsTimeSeries": bool(job.spec.metric_definitions),
        **job.spec.request.get("AlgorithmSpecification", {}),
    }
    if job.spec.metric_definitions:
        shown["MetricDefinitions"] = [
            {"Name": definition.name, "Regex": definition.regex} for definition in job.spec.metric_definitions
        ]
    return shown


def _times(job: TrainingJob) -> dict[str, float | int]:
    shown: dict[str, float | int] = {}
    if job.started_at is not None:
        shown["TrainingStartTime"] = round(job.started_at, 3)
    if job.ended_at is not None:
        shown["TrainingEndTime"] = round(job.ended_at, 3)
    if job.started_at is not None and job.ended_at is not None:
        seconds = max(1, int(job.ended_at) - int(job.started_at))  # both cut to whole seconds first, as observed
        shown["TrainingTimeInSeconds"] = seconds
        shown["BillableTimeInSeconds"] = seconds if job.run == 1 else max(1, min(seconds, round(time_in_runs(job))))
    return shown


def _artifact(job: TrainingJob) -> str:
    """What was really uploaded, or where it will be."""
    for instance in job.instances:
        if instance.outcome is not None and instance.outcome.artifact_uri:
            return instance.outcome.artifact_uri
    archive = job.spec.artifact_uri
    return archive if job.spec.output_compression == "GZIP" else archive.removesuffix(".tar.gz")


def _channel(given: Members) -> dict[str, Any]:
    return {"CompressionType": "None", "RecordWrapperType": "None", **given}


def _resources(job: TrainingJob) -> dict[str, Any]:
    given = job.spec.request.get("ResourceConfig", {})
    alike = {"InstanceType": job.spec.instance_type, "InstanceCount": job.spec.instance_count}
    shown = {**({} if job.spec.instance_groups else alike), "VolumeSizeInGB": job.spec.volume_gb, **given}
    if job.warm_pool is not None:
        shown["KeepAlivePeriodInSeconds"] = job.warm_pool.keep_alive_seconds  # UpdateTrainingJob may have changed it
    if not shown.get("VolumeKmsKeyId"):
        shown.pop("VolumeKmsKeyId", None)
    return shown


def _transitions(job: TrainingJob) -> list[dict[str, Any]]:
    shown = [_transition(transition) for transition in job.transitions]
    if shown and job.runtime:
        shown[0]["StatusMessage"] += f" (runtime: {job.runtime})"
    return shown


def _transition(transition: Transition) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Status": transition.status,
        "StartTime": round(transition.started_at, 3),
        "StatusMessage": transition.message,
    }
    if transition.ended_at is not None:
        shown["EndTime"] = round(transition.ended_at, 3)
    return shown
