"""Leaves of DescribeAlgorithm that change what a validation's containers get, each seen from inside them.

Those that fail a validation stand in test_failures; channels, groups and file systems have files of their own.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.images import script, write_archive
from tests.system.service import RunningService
from tests.system.serving import archive
from tests.system.training import log_of, train, training_request
from tests.system.validation import (
    BUCKET,
    await_lines,
    finished,
    job_of,
    log_lines,
    reason,
    specification,
    upload,
    validate,
)


def test_what_the_training_container_is_told(service: RunningService) -> None:
    upload(service, {"listed.json": json.dumps([{"prefix": f"s3://{BUCKET}/train/"}, "a.csv"]).encode()})
    request = specification("told", "tests/train:1", training={"HyperParameters": {"mode": "tells"}})
    specified = request["TrainingSpecification"]
    specified["SupportedHyperParameters"] += [
        {"Name": "depth", "Type": "Integer", "DefaultValue": "3"},
        {"Name": "unset", "Type": "FreeText"},
    ]
    definition = request["ValidationSpecification"]["ValidationProfiles"][0]["TrainingJobDefinition"]
    source = definition["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    source.update(S3DataType="ManifestFile", S3Uri=f"s3://{BUCKET}/listed.json")  # leaves 49, 50
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    lines = log_lines(service, "training", job_of(service, "training", "told")["TrainingJobName"])
    assert lines[-3].startswith("{"), lines
    configured, resources, files = lines[-3:]
    hyperparameters, end = json.JSONDecoder().raw_decode(configured)
    assert hyperparameters == {"mode": "tells", "depth": "3"}  # leaves 17, 47
    channel = json.loads(configured[end:])["train"]  # leaf 48
    assert channel["ContentType"] == "text/csv"  # leaf 58
    assert (channel["TrainingInputMode"], channel["S3DistributionType"]) == ("File", "FullyReplicated")  # 46, 51
    assert json.loads(resources)["current_instance_type"] == "ml.m5.large"  # leaf 65
    assert files == "./train/a.csv"  # the whole key of a manifest


def test_what_the_serving_container_is_told(service: RunningService) -> None:
    rows = {"batch-gz/first.gz": gzip.compress(b"r1\nr2\nr3\n"), "batch-gz/second.gz": gzip.compress(b"s1\n")}
    rows["batch-gz.json"] = json.dumps([{"prefix": f"s3://{BUCKET}/batch-gz/"}, "first.gz", "second.gz"]).encode()
    upload(service, rows)
    request = specification("serves", "tests/train:1", "tests/serve:1")
    container = request["InferenceSpecification"]["Containers"][0]
    container["Environment"] = {"WORKERS": "2", "LEVEL": "info", "MODE": "tells"}  # leaf 35
    container["ModelDataUrl"] = archive(service, "given/model.tar.gz")  # leaf 33
    profile = request["ValidationSpecification"]["ValidationProfiles"][0]
    profile["TransformJobDefinition"].update(
        MaxConcurrentTransforms=3,  # leaf 75
        MaxPayloadInMB=1,  # leaf 76
        BatchStrategy="SingleRecord",  # leaf 77
        Environment={"LEVEL": "debug"},  # leaf 78
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/batch-gz.json"}},
            "ContentType": "text/csv",  # leaf 81
            "CompressionType": "Gzip",  # leaf 82
            "SplitType": "Line",  # leaf 83
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/told/", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},  # leaf 89
    )
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    first, second = (_object(service, f"told/{name}.gz.out").decode().splitlines() for name in ("first", "second"))
    facts = [line.split("|") for line in first]
    assert [fact[1:] for fact in facts] == [["2", "debug", "text/csv", "text/csv", "1", f"r{n}/"] for n in (1, 2, 3)]
    assert second[0].endswith("|s1/")
    job = job_of(service, "transform", "serves")["TransformJobName"]
    await_lines(service, job, lambda line: line.startswith("model: model.csv"), count=2)
    lines = log_lines(service, "transform", job)
    told = "MaxConcurrentTransforms=3, MaxPayloadInMB=1, BatchStrategy=SINGLE_RECORD"
    assert sum(told in line for line in lines) == 2  # one data log an instance


def test_a_whole_object_and_nothing_between_answers(service: RunningService) -> None:
    request = specification("whole", "tests/train:1", "tests/serve:1", transform={"Environment": {"MODE": "tells"}})
    definition = request["ValidationSpecification"]["ValidationProfiles"][0]["TransformJobDefinition"]
    definition["TransformInput"] |= {"SplitType": "None"}
    definition["TransformOutput"] = {"S3OutputPath": f"s3://{BUCKET}/whole", "AssembleWith": "None"}  # leaf 86
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    (only,) = _object(service, "whole/first.csv.out").decode().splitlines()
    assert only.split("|")[3:] == ["text/csv", "None", "3", "r1/r2/r3/"]  # leaf 85 left out: no Accept


def test_a_moved_tag_changes_nothing(sandbox_service: RunningService, tmp_path: Path) -> None:
    service, sagemaker = sandbox_service, sandbox_service.client("sagemaker")
    for version in ("old", "new"):
        files = {"/usr/local/bin/train": script(f"echo {version} image")}
        write_archive(tmp_path / f"{version}.tar", "tests/moving:1", files)
    old = _load(service, tmp_path / "old.tar")
    request = specification("pinned", "tests/moving:1")
    del request["ValidationSpecification"]
    arn = sagemaker.create_algorithm(**request)["AlgorithmArn"]
    assert finished(service, "pinned")["TrainingSpecification"]["TrainingImageDigest"] == old  # leaf 6
    new = _load(service, tmp_path / "new.tar")
    assert new != old
    specified = {"AlgorithmName": arn, "TrainingInputMode": "File"}
    shown = train(service, training_request("of-pinned", AlgorithmSpecification=specified))
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    assert "old image" in log_of(service, "of-pinned")
    request["AlgorithmName"] = "mismatched"
    request["TrainingSpecification"]["TrainingImageDigest"] = old
    with pytest.raises(ClientError, match=new):
        sagemaker.create_algorithm(**request)
    request["TrainingSpecification"]["TrainingImageDigest"] = new
    sagemaker.create_algorithm(**request)
    assert finished(service, "mismatched")["TrainingSpecification"]["TrainingImageDigest"] == new


def _load(service: RunningService, path: Path) -> str:
    loaded: list[dict[str, Any]] = json.loads(service.command("image", "load", str(path), "--json").stdout)
    return str(loaded[0]["digest"])


def _object(service: RunningService, key: str) -> bytes:
    return bytes(service.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
