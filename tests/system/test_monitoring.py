"""What who watches a service sees: metrics, whether it lives, whether it can work; and nothing gets in S3's way."""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families

from tests.system.service import RunningService, eventually
from tests.system.training import train, training_request

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def _get(service: RunningService, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(service.endpoint + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def _samples(service: RunningService) -> Samples:
    status, text = _get(service, "/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def _ready(service: RunningService) -> dict[str, Any]:
    status, text = _get(service, "/readyz")
    facts: dict[str, Any] = json.loads(text)
    assert (status == 200) == (facts["status"] == "ready")
    return facts


def test_it_lives_and_can_work(sandbox_service: RunningService) -> None:
    assert json.loads(_get(sandbox_service, "/healthz")[1])["status"] == "ok"
    assert _ready(sandbox_service) == {"status": "ready", "reasons": []}


def test_metrics_tell_what_was_asked_and_what_is_kept(sandbox_service: RunningService) -> None:
    sagemaker = sandbox_service.client("sagemaker")
    before = _samples(sandbox_service)
    with pytest.raises(ClientError):
        sagemaker.describe_training_job(TrainingJobName="nobody")
    assert train(sandbox_service, training_request("measured"))["TrainingJobStatus"] == "Completed"
    sandbox_service.client("s3").put_object(Bucket="tests", Key="weighed", Body=b"x" * 1000)
    after = _samples(sandbox_service)
    refused = {"service": "sagemaker", "operation": "DescribeTrainingJob", "code": "ValidationException"}
    put = {"service": "s3", "operation": "PutObject", "code": "OK"}
    for labels in (refused, put):
        name = "sagestone_requests_total"
        assert _value(after, name, **labels) == _value(before, name, **labels) + 1
    created = {"service": "sagemaker", "operation": "CreateTrainingJob"}
    assert _value(after, "sagestone_request_seconds_count", **created) == 1
    assert _value(after, "sagestone_request_seconds_sum", **created) > 0
    assert _value(after, "sagestone_resources", kind="training", status="Completed") == 1
    assert _value(after, "sagestone_s3_bytes") >= _value(before, "sagestone_s3_bytes") + 1000
    assert _value(after, "sagestone_capacity", what="memory_bytes") == 2**30
    assert _value(after, "sagestone_controller_alive") == 1
    assert _value(after, "sagestone_database_bytes", database="state") > 0
    assert _value(after, "process_resident_memory_bytes") > 0
    eventually(
        lambda: _value(_samples(sandbox_service), "sagestone_capacity_reserved", what="cpus") == 0,
        "what the job had is free again",
    )


def test_what_callers_write_makes_no_series(sandbox_service: RunningService) -> None:
    def known() -> set[tuple[str, str]]:
        return {
            (dict(labels)["operation"], dict(labels)["code"])
            for name, labels in _samples(sandbox_service)
            if name == "sagestone_requests_total"
        }

    for number in range(3):  # the first of each makes the series of what is not known
        seen = known()
        target = {"X-Amz-Target": f"SageMaker.Nonsense{number}", "Authorization": f"AWS4-HMAC-SHA256 {number}"}
        for path, headers in (("/", target), (f"/bucket-{number}/key", {}), (f"/?nonsense{number}", {})):
            assert _get(sandbox_service, path, **headers)[0] >= 400
    assert known() == seen


def test_a_bucket_may_have_the_name_of_a_question(sandbox_service: RunningService) -> None:
    s3 = sandbox_service.client("s3")
    for name in ("metrics", "healthz", "readyz", "health"):
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key=name, Body=b"an object")
        assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
        for listing in (s3.list_objects, s3.list_objects_v2):
            assert [entry["Key"] for entry in listing(Bucket=name)["Contents"]] == [name]
        url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": name})
        assert urllib.request.urlopen(url, timeout=30).read() == b"an object"
    unsigned = sandbox_service.client("s3", signature_version=UNSIGNED)
    with pytest.raises(ClientError, match="AccessDenied"):
        unsigned.get_object(Bucket="metrics", Key="metrics")


def test_who_comes_through_a_proxy_sees_no_metrics_and_no_reasons(sandbox_service: RunningService) -> None:
    for header in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        status, text = _get(sandbox_service, "/metrics", **header)
        assert (status, "monitoring_from" in text) == (403, True)
        assert json.loads(_get(sandbox_service, "/readyz", **header)[1]) == {"status": "ready"}


def test_a_database_that_takes_no_changes_is_told(sandbox_service: RunningService) -> None:
    locker = sqlite3.connect(sandbox_service.home / "state.sqlite3", isolation_level=None)
    try:
        locker.execute("BEGIN IMMEDIATE")
        eventually(lambda: _ready(sandbox_service)["status"] == "not ready", "the lock is noticed")
        (reason,) = _ready(sandbox_service)["reasons"]
        assert reason.startswith("store: ")
        assert _get(sandbox_service, "/healthz")[0] == 200
    finally:
        locker.close()
    eventually(lambda: _ready(sandbox_service)["status"] == "ready", "it can work again")
