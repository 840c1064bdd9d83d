"""The rules of CreateTrainingJob: which requests break which, and in which words."""

from typing import Any

import pytest

from sagestone.domain.rules.training_request import training_request_violations
from tests.unit.job_requests import by_algorithm, by_image
from tests.unit.requests import FULL, LEFT_OUT

ALGORITHM = "AlgorithmSpecification"
SPECIFICATION = FULL["TrainingSpecification"]


def of_image(*changes: tuple[str, Any]) -> list[str]:
    return [violation.text for violation in training_request_violations(by_image(*changes), None)]


def of_algorithm(*changes: tuple[str, Any]) -> list[str]:
    return [violation.text for violation in training_request_violations(by_algorithm(*changes), SPECIFICATION)]


def only(texts: list[str]) -> str:
    (text,) = texts
    return text


def test_requests_that_break_nothing() -> None:
    assert of_image() == []
    assert of_algorithm() == []
    assert of_image(("InputDataConfig", LEFT_OUT), ("HyperParameters", {"anything": "goes"})) == []
    assert of_image(("ResourceConfig.InstanceCount", 3), ("ResourceConfig.InstanceType", "ml.c5.xlarge")) == []
    assert of_image(("InputDataConfig.0.ChannelName", "of-my-own")) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("HyperParameters.colour", "red", "Member must be a hyperparameter of the specification: [depth, rate,"),
        ("HyperParameters.depth", "11", "Member must lie in the range of hyperparameter depth: 1 to 10"),
        ("HyperParameters.depth", "many", "Member must be a whole number: hyperparameter depth is of type Integer"),
        ("HyperParameters", {}, "Member must not be null: hyperparameter rate is required and has no default value"),
        ("InputDataConfig.0.ContentType", "text/plain", "Member must be a content type that channel train supports"),
        ("InputDataConfig.0.ChannelName", "test", "Member must be a channel of the specification: [train, validation]"),
        ("ResourceConfig.InstanceType", "ml.c5.large", "Member must be one of SupportedTrainingInstanceTypes"),
        ("InputDataConfig", LEFT_OUT, "Member must have a channel named train: the specification requires it"),
        (
            f"{ALGORITHM}.MetricDefinitions",
            [{"Name": "a", "Regex": "(b)"}],
            "You can't override the metric definitions",
        ),
        (f"{ALGORITHM}.TrainingImage", "trees:1", "Member must be absent: the request names an algorithm"),
    ],
)
def test_the_algorithms_specification_holds(path: str, value: Any, told: str) -> None:
    assert told in of_algorithm((path, value))[0]


def test_one_instance_where_the_algorithm_is_not_distributed() -> None:
    specification = {**SPECIFICATION, "SupportsDistributedTraining": False}
    found = training_request_violations(by_algorithm(("ResourceConfig.InstanceCount", 2)), specification)
    assert "does not say SupportsDistributedTraining" in only([each.text for each in found])


@pytest.mark.parametrize("name", ["AlgorithmSpecification", "ResourceConfig", "StoppingCondition"])
def test_what_only_serverless_jobs_do_without(name: str) -> None:
    text = only(of_image((name, LEFT_OUT)))
    assert text.startswith(f"Value null at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must not")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (f"{ALGORITHM}.TrainingImage", LEFT_OUT, "needs a TrainingImage or an AlgorithmName"),
        (f"{ALGORITHM}.MetricDefinitions", [{"Name": "a", "Regex": "b"}], "Member must have a group in parentheses"),
        (f"{ALGORITHM}.TrainingImageConfig", {"TrainingRepositoryAccessMode": "Vpc"}, "use Platform"),
        ("StoppingCondition.MaxWaitTimeInSeconds", 700, "Invalid MaxWaitTimeInSeconds. It is only supported when "),
        ("StoppingCondition.MaxRuntimeInSeconds", 28 * 86400 + 1, "less than or equal to 2419200"),
        ("RemoteDebugConfig", {"EnableRemoteDebug": True}, "there is no way into a running container"),
        ("SessionChainingConfig", {"EnableSessionTagChaining": True}, "there are no sessions with tags"),
        ("InfraCheckConfig", {"EnableInfraCheck": True}, "the machine is not checked before a job"),
        ("MlflowConfig", {"MlflowResourceArn": "arn"}, "there is no MLflow here"),
        ("Tags", [{"Key": "aws:a", "Value": ""}], "Member must not begin with aws:"),
        ("Colour", "red", "this version does not know what to do with it"),
    ],
)
def test_what_no_job_can_have(path: str, value: Any, told: str) -> None:
    assert told in only(of_image((path, value)))


@pytest.mark.parametrize(
    "change",
    [
        ("DebugHookConfig", {"S3OutputPath": "s3://data/models/", "CollectionConfigurations": []}),
        ("ProfilerConfig", {"S3OutputPath": "s3://data/models/", "DisableProfiler": False}),
        ("RemoteDebugConfig", {"EnableRemoteDebug": False}),
        ("TensorBoardOutputConfig", {"S3OutputPath": "s3://b"}),
        ("EnableManagedSpotTraining", False),
        ("RetryStrategy", {"MaximumRetryAttempts": 3}),
        ("EnableInterContainerTrafficEncryption", True),
        ("VpcConfig", {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}),
        ("ExperimentConfig", {"ExperimentName": "e"}),
        ("OutputDataConfig.KmsKeyId", ""),
        ("OutputDataConfig.KmsKeyId", "alias/key"),
        ("ResourceConfig.VolumeKmsKeyId", "alias/key"),
        ("ResourceConfig.KeepAlivePeriodInSeconds", 60),
        ("Environment", {"A": "1"}),
    ],
)
def test_what_clients_send_by_default_is_accepted(change: tuple[str, Any]) -> None:
    assert of_image(change) == []


def test_a_spot_job_says_how_long_it_waits_and_keeps_nothing_warm() -> None:
    spot = ("EnableManagedSpotTraining", True)
    wait = "StoppingCondition.MaxWaitTimeInSeconds"
    assert "It must be present and be greater than or equal to MaxRuntimeInSeconds" in only(of_image(spot))
    assert "greater than or equal to MaxRuntimeInSeconds, which is 600" in only(of_image(spot, (wait, 599)))
    assert of_image(spot, (wait, 600)) == []
    warm = ("ResourceConfig.KeepAlivePeriodInSeconds", 60)
    assert "spot capacity is not kept in a warm pool" in only(of_image(spot, (wait, 600), warm))


def test_all_broken_rules_come_at_once() -> None:
    found = of_algorithm(
        ("HyperParameters", {"depth": "0"}),
        ("InputDataConfig.0.ContentType", "a/b"),
        ("ResourceConfig.InstanceCount", 0),
    )
    assert len(found) == 4
