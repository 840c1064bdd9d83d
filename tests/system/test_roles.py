"""The role of a training job inside its container: what an AWS client there finds, and what it may do."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest

from tests.system.service import REGION, RunningService
from tests.system.serving import outputs, transform, wait
from tests.system.training import log_of, train, training_request
from tests.system.validation import ROLE

#: Asks again as SDKs do: the way to the service is there a moment after the container has started.
_ASK = (
    "U=$AWS_CONTAINER_CREDENTIALS_FULL_URI; echo endpoint $AWS_ENDPOINT_URL; echo uri $U; "
    "for i in 1 2 3; do wget -q -O - $U && echo && break; sleep 1; done"
)


def asking(name: str, instances: int = 1, **changes: Any) -> dict[str, Any]:
    """A job whose program asks for its credentials and prints them."""
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", _ASK],
    }
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1}
    return training_request(name, AlgorithmSpecification=specified, ResourceConfig=resources, **changes)


def told(lines: list[str], word: str) -> str:
    (line,) = [line for line in lines if line.startswith(f"{word} ") or line == word]
    return line.removeprefix(word).strip()


def caller(service: RunningService, document: dict[str, str]) -> str:
    """Who calls with the keys of that answer."""
    sts = boto3.client(
        "sts",
        endpoint_url=service.endpoint,
        region_name=REGION,
        aws_access_key_id=document["AccessKeyId"],
        aws_secret_access_key=document["SecretAccessKey"],
        aws_session_token=document["Token"],
    )
    return str(sts.get_caller_identity()["Arn"])


@pytest.mark.parametrize("instances", [1, 2])
def test_an_open_jobs_containers_are_their_role(service: RunningService, instances: int) -> None:
    name = f"role-{instances}"
    shown = train(service, asking(name, instances))
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    for host in range(1, instances + 1):
        lines = log_of(service, name, host)
        (document,) = [json.loads(line) for line in lines if line.startswith("{")]
        assert document["RoleArn"] == shown["RoleArn"]
        assert caller(service, document).endswith(":assumed-role/Validation/SageMaker")
        path = told(lines, "uri").removeprefix(told(lines, "endpoint"))
        with pytest.raises(HTTPError, match="403"):  # the job has ended
            urlopen(f"{service.endpoint}{path}", timeout=10)


def test_an_isolated_jobs_container_is_nobody(service: RunningService) -> None:
    train(service, asking("no-role", EnableNetworkIsolation=True))
    lines = log_of(service, "no-role")
    assert (told(lines, "endpoint"), told(lines, "uri")) == ("", "")
    assert not [line for line in lines if line.startswith("{")]


def test_what_the_job_says_wins(sandbox_service: RunningService) -> None:
    request = asking("own-endpoint", Environment={"AWS_ENDPOINT_URL": "http://elsewhere"})
    train(sandbox_service, request)
    assert told(log_of(sandbox_service, "own-endpoint"), "endpoint") == "http://elsewhere"


def test_a_program_that_has_ended_already_misses_nothing(sandbox_service: RunningService) -> None:
    request = asking("at-once", 2)
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/bin/true"]
    shown = train(sandbox_service, request)
    assert (shown["TrainingJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    for host in (1, 2):
        assert not [line for line in log_of(sandbox_service, "at-once", host) if "cannot reach" in line]


@pytest.mark.parametrize("isolated", [False, True])
def test_serving_containers_are_their_models_role_unless_it_is_isolated(
    service: RunningService, isolated: bool
) -> None:
    name = f"serving-role-{isolated}".lower()
    container = {"Image": "tests/serve:1", "Environment": {"MODE": "role"}}
    service.client("sagemaker").create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE, EnableNetworkIsolation=isolated
    )
    service.client("sagemaker").create_transform_job(**transform(name, name))
    shown = wait(service, name)
    assert (shown["TransformJobStatus"], shown.get("FailureReason")) == ("Completed", None)
    answers = list(outputs(service, name).values())
    assert answers
    for answer in answers:
        if isolated:
            assert answer.strip() == b"nobody"
        else:
            document = json.loads(answer)
            assert document["RoleArn"] == ROLE
            assert caller(service, document).endswith(":assumed-role/Validation/SageMaker")
