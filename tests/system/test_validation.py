"""The happy path: CreateAlgorithm by boto3, a training job and a batch transform in containers, the truth told."""

import io
import itertools
import tarfile
from typing import Any

import pytest

from tests.system.service import RunningService
from tests.system.validation import BUCKET, await_lines, job_of, log_lines, specification, stages_of, validate


def _object(service: RunningService, key: str) -> bytes:
    return bytes(service.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def _archive(service: RunningService, uri: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_object(service, uri.removeprefix(f"s3://{BUCKET}/")))) as tar:
        return {m.name.removeprefix("./"): (tar.extractfile(m) or io.BytesIO()).read() for m in tar if m.isfile()}


def test_a_validation_trains_transforms_and_tells(service: RunningService, request: pytest.FixtureRequest) -> None:
    description = validate(service, specification("happy", "tests/train:1", "tests/serve:1"))
    assert description["AlgorithmStatus"] == "Completed"
    assert description["AlgorithmStatusDetails"]["ValidationStatuses"] == [{"Name": "profile", "Status": "Completed"}]
    assert description["TrainingSpecification"]["TrainingImageDigest"].startswith("sha256:")

    training = job_of(service, "training", "happy")
    assert training["TrainingJobStatus"] == "Completed"
    _assert_contiguous(training)
    assert training["FinalMetricDataList"][0]["MetricName"] == "loss"
    assert training["FinalMetricDataList"][0]["Value"] == 0.5
    model = _archive(service, training["ModelArtifacts"]["S3ModelArtifacts"])
    assert model == {"model.csv": b"1,2\n3,4\n5,6\n"}
    output = _archive(service, training["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar", "output.tar"))
    assert output == {"notes": b"kept\n"}
    lines = log_lines(service, "training", training["TrainingJobName"])
    assert "mode plain on algo-1" in lines
    runtime = request.node.callspec.params["service"]
    assert lines[0].startswith(f"[sagestone] algo-1 runs on {runtime}: ")
    assert lines[0].endswith("; for code you trust") == (runtime == "sandbox")

    transform = job_of(service, "transform", "happy")
    assert transform["TransformJobStatus"] == "Completed"
    assert _object(service, "out/first.csv.out") == b"r1;ok\nr2;ok\nr3;ok\n"
    assert _object(service, "out/second.csv.out") == b"s1;ok\n"
    await_lines(service, transform["TransformJobName"], lambda line: line == "model: model.csv batch: true")
    lines = log_lines(service, "transform", transform["TransformJobName"])
    assert any("MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in line for line in lines)


def _assert_contiguous(job: dict[str, Any]) -> None:
    transitions = job["SecondaryStatusTransitions"]
    assert stages_of(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert transitions[0]["StartTime"] == job["CreationTime"]
    for before, after in itertools.pairwise(transitions):
        assert before["EndTime"] == after["StartTime"]
    assert transitions[-1]["EndTime"] == job["TrainingEndTime"]


def test_an_algorithm_without_a_profile_completes(service: RunningService) -> None:
    request = specification("no-profile", "tests/train:1")
    del request["ValidationSpecification"]
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed"
    assert description["AlgorithmStatusDetails"]["ValidationStatuses"] == []


def test_two_instances_share_data_a_network_and_one_model(service: RunningService) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    changes = {"HyperParameters": {"mode": "hosts"}, "ResourceConfig": resources}
    request = specification("pair", "tests/train:1", training=changes)
    source = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]["InputDataConfig"][0]
    source["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", description["AlgorithmStatusDetails"]
    job = job_of(service, "training", "pair")
    model = _archive(service, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert model["algo-1.files"].split() == [b"a.csv", b"deep"]
    assert model["algo-2.files"].split() == [b"b.csv"]
    assert b'"hosts"' in model["algo-1.json"]
    assert model["heard"] == b"hello from algo-2\n"


def test_control_characters_reach_metrics_as_the_service_writes_them(service: RunningService) -> None:
    metric = {"Name": "validation:rmse", "Regex": r".*\[[0-9]+\].*#011validation-rmse:(\S+)"}
    request = specification(
        "tabs",
        "tests/train:1",
        specification={"MetricDefinitions": [metric]},
        training={"HyperParameters": {"mode": "tabs"}},
    )
    assert validate(service, request)["AlgorithmStatus"] == "Completed"
    job = job_of(service, "training", "tabs")
    assert round(job["FinalMetricDataList"][0]["Value"], 3) == 64.3
    assert "[3]#011validation-rmse:64.3" in log_lines(service, "training", job["TrainingJobName"])


def test_the_containers_of_a_validation_have_no_way_out(service: RunningService) -> None:
    request = specification("isolated", "tests/train:1", training={"HyperParameters": {"mode": "network"}})
    assert validate(service, request)["AlgorithmStatus"] == "Completed"
    lines = log_lines(service, "training", job_of(service, "training", "isolated")["TrainingJobName"])
    assert "no way out" in lines
