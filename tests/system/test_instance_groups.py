"""A validation on two groups of instances, asked for by boto3."""

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.service import RunningService
from tests.system.validation import BUCKET, job_of, log_lines, specification, validate

GROUPS = [
    {"InstanceGroupName": "data", "InstanceType": "ml.m5.large", "InstanceCount": 1},
    {"InstanceGroupName": "training", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
]


def _request(name: str, resources: dict[str, Any]) -> dict[str, Any]:
    changes = {"HyperParameters": {"mode": "hosts"}, "ResourceConfig": resources}
    supported = {"SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.c5.xlarge"]}
    return specification(name, "tests/train:1", training=changes, specification=supported)


def test_a_profile_with_two_groups_validates_for_real(service: RunningService) -> None:
    request = _request("groups", {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1})
    training = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    whole = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/", "S3DataDistributionType": "ShardedByS3Key"}
    training["InputDataConfig"] = [
        {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": whole}},
        {"ChannelName": "extra", "DataSource": {"S3DataSource": {**whole, "InstanceGroupNames": ["training"]}}},
    ]
    request["TrainingSpecification"]["TrainingChannels"].append(
        {"Name": "extra", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
    )
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", description["AlgorithmStatusDetails"]
    described = description["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    assert described["ResourceConfig"] == {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}
    assert described["InputDataConfig"][1]["DataSource"]["S3DataSource"]["InstanceGroupNames"] == ["training"]
    job = job_of(service, "training", "groups")
    assert job["ResourceConfig"] == {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}
    assert "mode hosts on algo-2" in log_lines(service, "training", job["TrainingJobName"])
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    body = service.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        model = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        told = {name: file.read() for name, file in model.items() if file is not None}
    assert told["heard"] == b"hello from algo-2\n"
    second = json.loads(told["algo-2.json"])
    assert (second["current_group_name"], second["current_instance_type"]) == ("training", "ml.c5.xlarge")
    assert [group["hosts"] for group in second["instance_groups"]] == [["algo-1"], ["algo-2"]]


def test_groups_stand_alone(sandbox_service: RunningService) -> None:
    resources = {"InstanceGroups": GROUPS, "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    with pytest.raises(ClientError, match="InstanceType or InstanceCount cannot be specified with InstanceGroups"):
        sandbox_service.client("sagemaker").create_algorithm(**_request("both", resources))
