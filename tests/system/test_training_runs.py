"""Spot training jobs against the real service: taken away while they run, and resumed from their checkpoints."""

from typing import Any

import pytest

from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, reaches, training_request
from tests.system.validation import BUCKET, stages_of


def spot_request(name: str, instances: int = 1, **changes: Any) -> dict[str, Any]:
    return training_request(
        name,
        "spot",
        EnableManagedSpotTraining=True,
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1},
        **changes,
    )


@pytest.mark.parametrize("instances", [1, 2])
def test_an_interrupted_job_resumes_from_its_checkpoints(service: RunningService, instances: int) -> None:
    name = f"spot-{instances}"
    service.client("sagemaker").create_training_job(**spot_request(name, instances))
    for host in range(1, instances + 1):
        eventually(lambda host=host: "begun" in _log(service, name, host), f"algo-{host} has begun")  # type: ignore[misc]
    done = service.command("interrupt", name)
    assert (done.returncode, done.stderr) == (0, "")
    shown = ended(service, name)
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert shown["EnableManagedSpotTraining"] is True
    assert stages_of(shown) == [
        "Starting", "Downloading", "Training", "Interrupted",
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    assert shown["BillableTimeInSeconds"] <= shown["TrainingTimeInSeconds"]
    for host in range(1, instances + 1):
        assert "resumed: half" in log_of(service, name, host)
        body = service.client("s3").get_object(Bucket=BUCKET, Key=f"checkpoints/{name}/algo-{host}")["Body"].read()
        assert body == b"half\n"


def test_what_cannot_be_interrupted_is_told(sandbox_service: RunningService) -> None:
    sandbox_service.client("sagemaker").create_training_job(**training_request("no-spot", "polite"))
    reaches(sandbox_service, "no-spot", "Training")
    for name, told in (
        ("no-spot", "Training job no-spot cannot be interrupted: it does not run with EnableManagedSpotTraining"),
        ("never-created", "Requested resource not found."),
        ("not_a_name", "Member must satisfy regular expression pattern"),
    ):
        refused = sandbox_service.command("interrupt", name)
        assert refused.returncode == 1
        assert told in refused.stderr
    sandbox_service.client("sagemaker").stop_training_job(TrainingJobName="no-spot")
    assert ended(sandbox_service, "no-spot")["TrainingJobStatus"] == "Stopped"


def test_an_interruption_survives_the_end_of_the_service(sandbox_service: RunningService) -> None:
    sandbox_service.client("sagemaker").create_training_job(**spot_request("spot-crash"))
    eventually(lambda: "begun" in _log(sandbox_service, "spot-crash", 1), "it has begun")
    assert sandbox_service.command("interrupt", "spot-crash").returncode == 0
    sandbox_service.kill()
    sandbox_service.start()
    shown = ended(sandbox_service, "spot-crash")
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert "resumed: half" in log_of(sandbox_service, "spot-crash")


def test_a_job_stops_when_its_longest_wait_is_over(sandbox_service: RunningService) -> None:
    request = spot_request("too-long-a-wait")
    request["StoppingCondition"] = {"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 2}
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/bin/sh", "-c", "sleep 30"]
    sandbox_service.client("sagemaker").create_training_job(**request)
    shown = ended(sandbox_service, "too-long-a-wait")
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def _log(service: RunningService, name: str, host: int) -> list[str]:
    """The log so far; nothing before the stream is there."""
    logs, group = service.client("logs"), "/aws/sagemaker/TrainingJobs"
    groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    if group not in groups:
        return []
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/algo-{host}-")["logStreams"]
    return log_of(service, name, host) if found else []
