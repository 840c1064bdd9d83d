"""The log of a real service as JSON lines: who asked for what, what became of jobs, and no secret."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.system.prepared import prepared_service
from tests.system.service import RunningService
from tests.system.training import train, training_request


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, archives: list[str]) -> Iterator[RunningService]:
    """One that logs everything."""
    environment = {
        "SAGESTONE_RUNTIME": "sandbox", "SAGESTONE_LOG_FORMAT": "json", "SAGESTONE_LOG_LEVEL": "info",
    }  # fmt: skip
    with prepared_service(tmp_path_factory.mktemp("logs"), environment, archives[:1]) as running:
        yield running


def _lines(service: RunningService) -> list[dict[str, Any]]:
    """Every line of the log but the start message for people."""
    text = (service.home.parent / "service.log").read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_every_request_has_a_line_with_its_id_and_who_asked(service: RunningService) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    answers = [sagemaker.list_algorithms(), s3.list_buckets()]
    with pytest.raises(ClientError) as refused:
        sagemaker.describe_training_job(TrainingJobName="nobody")
    answers.append(refused.value.response)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "tests", "Key": "train/a.csv"})
    urllib.request.urlopen(url, timeout=30).read()
    by_id = {line["request_id"]: line for line in _lines(service) if line["logger"] == "sagestone.request"}
    found = [by_id[answer["ResponseMetadata"]["RequestId"]] for answer in answers]
    assert [(line["service"], line["operation"], line["code"], line["status"]) for line in found] == [
        ("sagemaker", "ListAlgorithms", "OK", 200),
        ("s3", "ListBuckets", "OK", 200),
        ("sagemaker", "DescribeTrainingJob", "ValidationException", 400),
    ]
    for line in found:
        assert (line["account"], line["remote"]) == ("123456789012", "127.0.0.1")
        assert line["user"]
        assert line["milliseconds"] > 0
    text = (service.home.parent / "service.log").read_text()
    assert service.keys()[1] not in text
    assert "Signature" not in text


def test_every_change_of_a_job_has_a_line_with_its_arn(service: RunningService) -> None:
    job = train(service, training_request("told"))
    lines = [line for line in _lines(service) if line.get("job") == job["TrainingJobArn"]]
    shown = [line["secondary_status"] for line in lines]
    assert shown[-1] == "Completed"
    assert "Training" in shown
    assert {line["runtime"] for line in lines if line["secondary_status"] != "Starting"} == {"sandbox"}
