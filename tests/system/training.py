"""CreateTrainingJob requests of the system tests, and waiting for the end of a job."""

from typing import Any

from tests.system.service import RunningService, eventually
from tests.system.validation import BUCKET, ROLE

ENDED = ("Completed", "Failed", "Stopped")


def training_request(name: str, mode: str = "plain", **changes: Any) -> dict[str, Any]:
    """A job of the image `tests/train:1`, whose program does what `mode` says; `changes` replace whole members."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "tests/train:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "HyperParameters": {"mode": mode},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def train(service: RunningService, request: dict[str, Any]) -> dict[str, Any]:
    """Create the job and wait; the final description."""
    service.client("sagemaker").create_training_job(**request)
    return ended(service, request["TrainingJobName"])


def ended(service: RunningService, name: str) -> dict[str, Any]:
    """Wait for the end of a job; the final description."""
    sagemaker = service.client("sagemaker")
    eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ENDED, f"{name} ends"
    )
    shown: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return shown


def reaches(service: RunningService, name: str, secondary: str) -> None:
    """Wait until the job is in that secondary status."""
    sagemaker = service.client("sagemaker")
    eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == secondary,
        f"{name} reaches {secondary}",
    )


def log_of(service: RunningService, name: str, host: int = 1) -> list[str]:
    """The lines of one host's log stream, by CloudWatch Logs' calls."""
    logs, group = service.client("logs"), "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/algo-{host}-")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in events["events"]]
