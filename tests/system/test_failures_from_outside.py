"""Failures that come from outside a program: images, containers, data and buckets that are not what they should be."""

import io
import json
import tarfile
from functools import partial
from typing import Any

import msgspec
import pytest

from sagestone.agent.build import build_runtime
from sagestone.agent.parts import RuntimePart
from sagestone.containers.labels import JOB
from sagestone.containers.runtime import Runtime
from tests.images import script, write_archive
from tests.system.service import RunningService, eventually
from tests.system.serving import archive, create_model, transform
from tests.system.training import reaches, train, training_request
from tests.system.validation import BUCKET, finished, job_of, log_lines, reason, specification, upload, validate


def _runtime(service: RunningService) -> Runtime:
    """The runtime of the service, to do to its containers what nobody should."""
    facts = json.loads((service.home / "service.json").read_text())
    return build_runtime(msgspec.convert(facts["runtime"], RuntimePart))


def _transforming(name: str, **changes: Any) -> dict[str, Any]:
    request = specification(name, "tests/train:1", "tests/serve:1")
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]
    definition = profile["TransformJobDefinition"]
    definition["TransformOutput"]["S3OutputPath"] = f"s3://{BUCKET}/out-{name}"
    for member, value in changes.items():
        definition[member] = definition.get(member, {}) | value if isinstance(value, dict) else value
    return request


def test_a_failure_file_of_a_program_that_succeeded_does_not_count(service: RunningService) -> None:
    request = specification("ignored", "tests/train:1", training={"HyperParameters": {"mode": "ignored-failure"}})
    assert validate(service, request)["AlgorithmStatus"] == "Completed"
    assert "FailureReason" not in job_of(service, "training", "ignored")


def test_a_validation_whose_job_is_stopped(service: RunningService) -> None:
    request = specification("halted", "tests/train:1", training={"HyperParameters": {"mode": "polite"}})
    service.client("sagemaker").create_algorithm(**request)
    name = _job_that_trains(service, "halted")
    service.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert f"Training job {name} was stopped before it completed" in reason(finished(service, "halted"))
    job = job_of(service, "training", "halted")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    assert service.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0


def test_a_container_that_is_taken_away_is_told_as_such(service: RunningService) -> None:
    request = specification("vanished", "tests/train:1", training={"HyperParameters": {"mode": "hang"}})
    service.client("sagemaker").create_algorithm(**request)
    name = _job_that_trains(service, "vanished")
    runtime = _runtime(service)
    (container,) = runtime.find({JOB: f"training/{name}"})
    runtime.remove(container.id)
    description = finished(service, "vanished")
    assert description["AlgorithmStatus"] == "Failed"
    # Whether its end is seen before it is gone is a matter of luck.
    assert f"Training job {name} failed: " in reason(description)
    assert "InternalServerError: " in reason(description) or "Something killed the program" in reason(description)


def test_an_image_that_is_gone_when_its_job_begins(service: RunningService, tmp_path_factory: Any) -> None:
    directory = tmp_path_factory.mktemp("fleeting")
    image = write_archive(directory / "image.tar", "tests/fleeting:1", {"/usr/local/bin/train": script("echo here")})
    assert service.command("image", "load", str(image.path)).returncode == 0
    request = specification("fleeting", "tests/fleeting:1")
    del request["ValidationSpecification"]
    arn = service.client("sagemaker").create_algorithm(**request)["AlgorithmArn"]
    assert service.command("image", "remove", "tests/fleeting:1").returncode == 0
    specified = {"AlgorithmName": arn, "TrainingInputMode": "File"}
    shown = train(service, training_request("of-fleeting", AlgorithmSpecification=specified))
    assert shown["TrainingJobStatus"] == "Failed"
    assert shown["FailureReason"].startswith("ClientError: Cannot pull algorithm container.")
    assert "tests/fleeting:1" in shown["FailureReason"]


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (
            "ends",
            {"Environment": {"MODE": "ends"}},
            ["AlgorithmError", "before it was ready", "no model can be loaded"],
        ),
        ("cuts", {"Environment": {"MODE": "cuts"}}, ["AlgorithmError", "first.csv", "after 4 attempts"]),
        ("no-gzip", {"TransformInput": {"CompressionType": "Gzip"}}, ["ClientError", "first.csv", "not a whole gzip"]),
        ("no-frame", {"TransformInput": {"SplitType": "TFRecord"}}, ["ClientError", "first.csv", "TFRecord"]),
        (
            "nowhere",
            {"TransformOutput": {"S3OutputPath": "s3://no-such-bucket/out"}},
            ["ClientError", "no-such-bucket"],
        ),
    ],
)
def test_a_transform_that_fails_says_why(
    service: RunningService, name: str, changes: dict[str, Any], words: list[str]
) -> None:
    description = validate(service, _transforming(f"serve-{name}", **changes))
    assert description["AlgorithmStatus"] == "Failed"
    for word in [*words, job_of(service, "transform", f"serve-{name}")["TransformJobName"]]:
        assert word in reason(description)
    found = service.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"out-serve-{name}/")
    assert found["KeyCount"] == 0


def test_an_image_without_serve_is_told_as_such(service: RunningService) -> None:
    request = specification("no-serve", "tests/train:1", "tests/train:1")
    assert "could not be started with the argument serve" in reason(validate(service, request))


def test_a_record_that_no_request_can_hold(service: RunningService) -> None:
    upload(service, {"large/a.csv": b"r\n" * 9 + b"x" * 1024 * 1024 + b"\n", "large/b.csv": b"fine\n"})
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/large/"}}}
    description = validate(service, _transforming("large", TransformInput=source, MaxPayloadInMB=1))
    for word in ("ClientError", "a.csv, record 10, has 1048577 bytes", "MaxPayloadInMB=1", "1 of 2 objects failed"):
        assert word in reason(description)
    s3 = service.client("s3")
    kept = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix="out-large/")["Contents"]]
    assert kept == ["out-large/b.csv.out"]
    lines = log_lines(service, "transform", job_of(service, "transform", "large")["TransformJobName"])
    assert any(f"{BUCKET}/large/a.csv: ClientError: " in line for line in lines)


def test_no_answer_in_time(service: RunningService) -> None:
    create_model(service, "never-answers", archive(service, "given/model.tar.gz"), MODE="hangs")
    patience = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 1}
    request = transform("never-answers-job", "never-answers", ModelClientConfig=patience)
    service.client("sagemaker").create_transform_job(**request)
    described = partial(service.client("sagemaker").describe_transform_job, TransformJobName="never-answers-job")
    eventually(lambda: described()["TransformJobStatus"] == "Failed", "the job fails")
    shown = described()
    for word in ("AlgorithmError", "no answer within 1 seconds", "after 2 attempts"):
        assert word in shown["FailureReason"]


def test_a_hostile_model_archive(service: RunningService) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../../escaped"))
    service.client("s3").put_object(Bucket=BUCKET, Key="given/hostile.tar.gz", Body=packed.getvalue())
    request = specification("hostile", "tests/train:1", "tests/serve:1")
    request["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] = f"s3://{BUCKET}/given/hostile.tar.gz"
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Failed"
    assert "cannot be unpacked" in reason(description)
    assert not list(service.home.parent.rglob("escaped"))


def _job_that_trains(service: RunningService, algorithm: str) -> str:
    def listed() -> list[dict[str, Any]]:
        found = service.client("sagemaker").list_training_jobs(NameContains=algorithm)["TrainingJobSummaries"]
        return list(found)

    eventually(lambda: bool(listed()), f"the training job of {algorithm} is there")
    name = str(listed()[0]["TrainingJobName"])
    reaches(service, name, "Training")
    return name
