"""CloudWatch in CBOR, by botocore's own code for it: a model that lists no other protocol makes it choose that one."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.system.service import REGION, RunningService
from tests.system.training import train, training_request

NAMESPACE = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def cloudwatch(sandbox_service: RunningService, tmp_path: Path) -> Any:
    source = files("botocore") / "data" / "cloudwatch" / "2010-08-01" / "service-2.json.gz"
    model = json.loads(gzip.decompress(source.read_bytes()))
    model["metadata"]["protocols"] = ["smithy-rpc-v2-cbor"]
    place = tmp_path / "models" / "cloudwatch" / "2010-08-01"
    place.mkdir(parents=True)
    (place / "service-2.json").write_text(json.dumps(model))
    core = botocore.session.Session()
    core.set_config_variable("data_path", str(tmp_path / "models"))
    access_key, secret_key = sandbox_service.keys()
    session = boto3.Session(
        aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=REGION, botocore_session=core
    )
    return session.client("cloudwatch", endpoint_url=sandbox_service.endpoint)


def test_metrics_are_answered_in_cbor(sandbox_service: RunningService, cloudwatch: Any) -> None:
    shown = train(sandbox_service, training_request("measured"))
    assert shown["TrainingJobStatus"] == "Completed", shown.get("FailureReason")
    now = datetime.now(UTC)
    of_job = [{"Name": "TrainingJobName", "Value": "measured"}]
    asked = {
        "Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": of_job, "StartTime": now - timedelta(hours=1),
        "EndTime": now + timedelta(minutes=1), "Period": 60, "Statistics": ["Average", "SampleCount"],
    }  # fmt: skip
    found = cloudwatch.get_metric_statistics(**asked)
    assert found["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/cbor"
    assert found["ResponseMetadata"]["HTTPHeaders"]["smithy-protocol"] == "rpc-v2-cbor"
    in_json = sandbox_service.client("cloudwatch").get_metric_statistics(**asked)
    assert in_json["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    assert found["Datapoints"] == in_json["Datapoints"]
    assert found["Datapoints"][0]["Average"] == 0.5
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, Dimensions=of_job)
    assert [each["MetricName"] for page in pages for each in page["Metrics"]] == ["loss"]


def test_refusals_are_told_in_cbor(cloudwatch: Any) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE, MetricName="loss", StartTime=now, EndTime=now, Period=60, Statistics=["Sum"]
        )
    response = caught.value.response
    assert response["Error"]["Code"] == "InvalidParameterValue"
    assert response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/cbor"
    assert "StartTime must be less than" in response["Error"]["Message"]
    with pytest.raises(ClientError) as caught:
        cloudwatch.list_dashboards()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
