"""Pipe mode from the call to the program: each channel in its own mode, and what Describe and the config say."""

import gzip
import json
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagestone.channels.recordio import record
from tests.images import script, write_archive
from tests.system.service import RunningService
from tests.system.training import log_of, train, training_request
from tests.system.validation import BUCKET, job_of, log_lines, reason, specification, upload, validate

_PROGRAM = """
    cat /opt/ml/input/config/inputdataconfig.json; echo
    cd /opt/ml/input/data
    for fifo in packed_0 packed_1 told_0; do echo $fifo $(md5sum < $fifo); done
    cat files/*.csv
"""


def _channel(name: str, prefix: str, source: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}", **(source or {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}, **fields}


def _own(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("[sagestone]")]


def _records(payloads: list[bytes]) -> str:
    return md5(b"".join(piece for payload in payloads for piece in record(payload))).hexdigest()


def test_channels_of_a_job_each_in_its_own_mode(service: RunningService) -> None:
    rows = [f"row {number}\n".encode() * 1000 for number in range(8)]
    upload(service, {f"packed/{number}.gz": gzip.compress(row) for number, row in enumerate(rows)})
    lines = [{"object-ref": f"s3://{BUCKET}/train/{name}.csv", "label": number} for number, name in enumerate("ab")]
    upload(service, {"told.manifest": b"".join(json.dumps(line).encode() + b"\n" for line in lines)})
    channels = [
        _channel("packed", "packed/", CompressionType="Gzip", RecordWrapperType="RecordIO", ContentType="text/csv"),
        _channel(
            "told",
            "told.manifest",
            {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["label", "object-ref"]},
            RecordWrapperType="RecordIO",
        ),
        _channel("files", "train/", InputMode="File"),
    ]
    request = training_request("modes", InputDataConfig=channels, Environment={"PROGRAM": _PROGRAM})
    request["AlgorithmSpecification"] |= {
        "TrainingInputMode": "Pipe",
        "ContainerEntrypoint": ["/bin/sh", "-c", 'eval "$PROGRAM"'],
    }
    shown = train(service, request)
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    filled = [{"CompressionType": "None", "RecordWrapperType": "None", **channel} for channel in channels]
    assert shown["InputDataConfig"] == filled
    assert shown["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    config, *read = _own(log_of(service, "modes"))
    assert json.loads(config) == {
        "packed": {
            "ContentType": "text/csv",
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
        },
        "told": {
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
        },
        "files": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
    }
    told = _records([b"0", b"1,2\n3,4\n", b"1", b"5,6\n"])
    packed = _records(rows)
    assert read == [f"packed_0 {packed} -", f"packed_1 {packed} -", f"told_0 {told} -", "1,2", "3,4", "5,6"]


def test_an_algorithm_that_reads_pipes_is_validated(service: RunningService, tmp_path: Path) -> None:
    program = script("cat /opt/ml/input/data/train_0 > /opt/ml/model/rows; sort /opt/ml/input/data/train_1")
    write_archive(tmp_path / "pipes.tar", "tests/pipes:1", {"/usr/local/bin/train": program})
    service.command("image", "load", str(tmp_path / "pipes.tar"))
    request = specification("pipes", "tests/pipes:1", training={"TrainingInputMode": "Pipe"})
    channel = request["TrainingSpecification"]["TrainingChannels"][0]
    channel["SupportedInputModes"] = ["Pipe"]
    description = validate(service, request)
    assert description["AlgorithmStatus"] == "Completed", reason(description)
    name = job_of(service, "training", "pipes")["TrainingJobName"]
    assert _own(log_lines(service, "training", name)) == ["1,2", "3,4", "5,6", "7,8"]


def test_what_cannot_work_is_refused_at_the_call(sandbox_service: RunningService) -> None:
    channels = [_channel("a", "train/", CompressionType="Gzip"), _channel("b", "x", {"AttributeNames": ["y"]})]
    channels[1]["DataSource"]["S3DataSource"]["S3DataType"] = "AugmentedManifestFile"
    with pytest.raises(ClientError) as refused:
        sandbox_service.client("sagemaker").create_training_job(**training_request("no", InputDataConfig=channels))
    message = refused.value.response["Error"]["Message"]
    assert message.startswith("2 validation errors detected: ")
    assert "at 'inputDataConfig.1.member.compressionType'" in message
    assert "at 'inputDataConfig.2.member.dataSource.s3DataSource.s3DataType'" in message
