"""Checkpoints of CreateTrainingJob on instance groups: a job is stopped, and another one goes on where it was."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService, eventually
from tests.system.training import ended, log_of, train, training_request
from tests.system.validation import BUCKET

#: Every host appends a step to its own file and then waits, or ends where the step is the last one.
_PROGRAM = """
    cd /var/state; host=$(hostname); echo "found $(ls | grep -v sagemaker | wc -l) files"
    echo step >> $host; [ $(wc -l < $host) -ge 2 ] && exit 0
    echo waits; while :; do sleep 0.1; done
"""
GROUPS = [
    {"InstanceGroupName": "data", "InstanceType": "ml.m5.large", "InstanceCount": 1},
    {"InstanceGroupName": "training", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
]


def _request(name: str, local_path: str = "/var/state") -> dict[str, Any]:
    request = training_request(
        name,
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/state/run", "LocalPath": local_path},
        Environment={"PROGRAM": _PROGRAM},
        ResourceConfig={"InstanceGroups": GROUPS, "VolumeSizeInGB": 1},
    )
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/bin/sh", "-c", 'eval "$PROGRAM"']
    return request


def test_another_job_goes_on_where_one_was_stopped(service: RunningService) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    sagemaker.create_training_job(**_request("first-half"))

    def kept() -> dict[str, bytes]:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix="state/run/").get("Contents", [])
        bodies = {each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found}
        return {key.removeprefix("state/run/"): body for key, body in bodies.items()}

    expected = {"algo-1": b"step\n", "algo-2": b"step\n"}
    eventually(lambda: kept() == expected, "both hosts' checkpoints are in S3 while the job runs")
    sagemaker.stop_training_job(TrainingJobName="first-half")
    assert ended(service, "first-half")["TrainingJobStatus"] == "Stopped"
    shown = train(service, _request("second-half"))
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    assert shown["CheckpointConfig"] == {"S3Uri": f"s3://{BUCKET}/state/run", "LocalPath": "/var/state"}
    assert shown["ResourceConfig"] == {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}
    assert all("found 2 files" in log_of(service, "second-half", host) for host in (1, 2))
    assert kept() == {"algo-1": b"step\nstep\n", "algo-2": b"step\nstep\n"}


def test_a_path_that_the_platform_needs_is_refused(sandbox_service: RunningService) -> None:
    with pytest.raises(ClientError, match="Member must not cover /opt/ml/model, which the container needs as it is"):
        sandbox_service.client("sagemaker").create_training_job(**_request("covers", "/opt/ml/model"))
