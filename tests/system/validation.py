"""Specifications and data for validations in tests, and waiting for their end."""

from collections.abc import Callable
from typing import Any

from tests.system.service import RunningService, eventually

BUCKET = "tests"
ROLE = "arn:aws:iam::123456789012:role/Validation"


def specification(name: str, training_image: str, serving_image: str | None = None, **changes: Any) -> dict[str, Any]:
    """A CreateAlgorithm request: one channel, one free hyperparameter, a profile; with a transform if something serves.

    `changes` go into the profile's TrainingJobDefinition (`training`), TransformJobDefinition (`transform`), the
    TrainingSpecification (`specification`) as dictionaries.
    """
    request: dict[str, Any] = {
        "AlgorithmName": name,
        "TrainingSpecification": {
            "TrainingImage": training_image,
            "SupportedHyperParameters": [{"Name": "mode", "Type": "FreeText", "DefaultValue": "plain"}],
            "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "SupportsDistributedTraining": True,
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
            "TrainingChannels": [
                {"Name": "train", "IsRequired": True, "SupportedContentTypes": ["text/csv"],
                 "SupportedInputModes": ["File"]},
            ],
            **changes.get("specification", {}),
        },
        "ValidationSpecification": {
            "ValidationRole": ROLE,
            "ValidationProfiles": [{"ProfileName": "profile", "TrainingJobDefinition": _training(changes)}],
        },
    }  # fmt: skip
    if serving_image:
        request["InferenceSpecification"] = {
            "Containers": [{"Image": serving_image}],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        profile = request["ValidationSpecification"]["ValidationProfiles"][0]
        profile["TransformJobDefinition"] = _transform(changes)
    return request


def _training(changes: dict[str, Any]) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/", "S3DataDistributionType": "FullyReplicated"}
    return {
        "TrainingInputMode": "File",
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes.get("training", {}),
    }


def _transform(changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes.get("transform", {}),
    }


def upload(service: RunningService, objects: dict[str, bytes]) -> None:
    """Put objects into the tests' bucket with boto3."""
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def validate(service: RunningService, request: dict[str, Any]) -> dict[str, Any]:
    """Create the algorithm and wait; the final description."""
    sagemaker = service.client("sagemaker")
    sagemaker.create_algorithm(**request)
    return finished(service, request["AlgorithmName"])


def finished(service: RunningService, name: str) -> dict[str, Any]:
    """The description of an algorithm once its status is final."""
    sagemaker = service.client("sagemaker")
    found: dict[str, Any] = {}

    def is_final() -> bool:
        found.update(sagemaker.describe_algorithm(AlgorithmName=name))
        return found["AlgorithmStatus"] in ("Completed", "Failed")

    eventually(is_final, f"{name} is Completed or Failed; last seen: {found.get('AlgorithmStatus')}")
    return found


def reason(description: dict[str, Any]) -> str:
    """The FailureReason of the one validation item."""
    (item,) = description["AlgorithmStatusDetails"]["ValidationStatuses"]
    return str(item.get("FailureReason", ""))


def job_of(service: RunningService, kind: str, algorithm: str) -> dict[str, Any]:
    """The validation's training or transform job (`kind`: training, transform) as Describe shows it."""
    sagemaker = service.client("sagemaker")
    title = kind.capitalize()
    (row,) = getattr(sagemaker, f"list_{kind}_jobs")(NameContains=algorithm)[f"{title}JobSummaries"]
    described = getattr(sagemaker, f"describe_{kind}_job")(**{f"{title}JobName": row[f"{title}JobName"]})
    return dict(described)


def stages_of(job: dict[str, Any]) -> list[str]:
    """Its secondary statuses in order; but for Pending: the room may still be that of a job that is just over."""
    return [entry["Status"] for entry in job["SecondaryStatusTransitions"] if entry["Status"] != "Pending"]


def await_lines(service: RunningService, job: str, wanted: Callable[[str], bool], count: int = 1) -> None:
    """Wait until so many such lines of a transform job's containers are told: they serve on when their job's end is."""

    def told() -> bool:
        return sum(map(wanted, log_lines(service, "transform", job))) == count

    eventually(told, f"{count} such lines in the log of {job}")


def log_lines(service: RunningService, kind: str, job: str) -> list[str]:
    """All log lines of a job, by CloudWatch Logs' calls."""
    logs = service.client("logs")
    group = f"/aws/sagemaker/{kind.capitalize()}Jobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)[
            "events"
        ]
    ]
