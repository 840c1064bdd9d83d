"""Validations that fail: the algorithm is Failed, and the reason names the job, the fault and what to look at."""

from typing import Any

import pytest

from tests.system.service import RunningService
from tests.system.validation import BUCKET, job_of, log_lines, reason, specification, validate


def _training(name: str, mode: str, **changes: Any) -> dict[str, Any]:
    return specification(name, "tests/train:1", training={"HyperParameters": {"mode": mode}, **changes})


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("failure-file", ["AlgorithmError", "the labels are missing", "exit code: 3"]),
        ("exit-code", ["AlgorithmError", "cannot open the lexicon", "exit code: 7"]),
        ("disk", ["ClientError", "Insufficient disk space", "VolumeSizeInGB"]),
    ],
)
def test_a_training_that_fails_says_why(service: RunningService, mode: str, words: list[str]) -> None:
    description = validate(service, _training(f"train-{mode}", mode))
    assert description["AlgorithmStatus"] == "Failed"
    job = job_of(service, "training", f"train-{mode}")
    assert job["TrainingJobStatus"] == "Failed"
    for word in [*words, job["TrainingJobName"]]:
        assert word in reason(description)


def test_too_little_memory_is_told_as_such(service: RunningService) -> None:
    request = _training("oom", "memory")
    specified = request["TrainingSpecification"]
    specified["SupportedTrainingInstanceTypes"] = ["ml.t3.medium"]
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]
    profile["TrainingJobDefinition"]["ResourceConfig"]["InstanceType"] = "ml.t3.medium"
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Failed"
    assert "memory" in reason(description)
    assert "ClientError" in reason(description)


def test_an_image_without_train_fails_with_the_name_of_the_program(service: RunningService) -> None:
    description = validate(service, specification("no-train", "tests/empty:1"))
    assert description["AlgorithmStatus"] == "Failed"
    assert "train" in reason(description)


def test_no_data_under_the_prefix_is_the_clients_fault(service: RunningService) -> None:
    request = _training("no-data", "plain")
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    profile["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing/here/"
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Failed"
    assert "No S3 objects found under S3 URL" in reason(description)
    assert "ClientError" in reason(description)


def test_a_program_that_ignores_sigterm_is_killed_and_its_model_kept(service: RunningService) -> None:
    description = validate(service, _training("stubborn", "stubborn", StoppingCondition={"MaxRuntimeInSeconds": 1}))
    job = job_of(service, "training", "stubborn")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    assert service.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0
    assert description["AlgorithmStatus"] == "Failed"
    assert "MaxRuntime" in reason(description)


def test_links_that_leave_the_model_directory_are_not_packed(service: RunningService) -> None:
    description = validate(service, _training("links", "links"))
    assert description["AlgorithmStatus"] == "Completed"
    lines = log_lines(service, "training", job_of(service, "training", "links")["TrainingJobName"])
    assert any("outside" in line for line in lines)


def test_one_failing_host_fails_the_job(service: RunningService) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    description = validate(service, _training("one-fails", "one-fails", ResourceConfig=resources))
    assert description["AlgorithmStatus"] == "Failed"
    assert "algo-2 gives up" in reason(description)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("too-large", ["ClientError", "413", "first.csv"]),
        ("media-type", ["ClientError", "415", "only application/x-parquet"]),
        ("breaks", ["AlgorithmError", "500", "division by zero in row 2"]),
        ("never-ready", ["AlgorithmError", "Model container failed to respond to ping"]),
        ("dies", ["AlgorithmError", "out of ideas"]),
    ],
)
def test_a_transform_that_fails_says_why(service: RunningService, mode: str, words: list[str]) -> None:
    request = specification(
        f"serve-{mode}",
        "tests/train:1",
        "tests/serve:1",
        transform={"Environment": {"MODE": mode}},
    )
    output = {"S3OutputPath": f"s3://{BUCKET}/out-{mode}", "AssembleWith": "Line"}
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]
    profile["TransformJobDefinition"]["TransformOutput"] = output
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Failed"
    job = job_of(service, "transform", f"serve-{mode}")
    for word in [*words, job["TransformJobName"]]:
        assert word in reason(description)
    found = service.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"out-{mode}/")
    assert found["KeyCount"] == 0
