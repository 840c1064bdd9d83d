"""Bodies to calls and answers to bodies, with botocore's parser as the peer."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import botocore.parsers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.shapes.service_model import load_service_model
from sagestone.wire.call import Caller
from sagestone.wire.errors import (
    InvalidParameterException,
    ResourceInUse,
    SerializationException,
    ServiceError,
    UnknownOperationException,
    ValidationException,
)
from sagestone.wire.read import CallReader
from sagestone.wire.reply import ReplyWriter, error_body
from tests.unit.model_requests import model_of

MODELS = [load_service_model("sagemaker"), load_service_model("logs")]
READER = CallReader(MODELS)
WRITER = ReplyWriter(MODELS)
CALLER = Caller(account="123456789012", access_key="AK", region="us-east-1")
PEER = model_of("sagemaker")


def parameters(body: bytes, operation: str = "ListAlgorithms") -> Any:
    call = READER.read(service="sagemaker", operation=operation, body=body, caller=CALLER, request_id="id-1")
    assert (call.service, call.operation, call.caller, call.request_id) == ("sagemaker", operation, CALLER, "id-1")
    return call.parameters


def as_botocore_reads(operation: str, body: bytes, status: int = 200) -> dict[str, Any]:
    response = {"body": body, "status_code": status, "headers": {}, "context": {}}
    parser = botocore.parsers.create_parser("json")
    parsed: dict[str, Any] = parser.parse(response, PEER.operation_model(operation).output_shape)
    return parsed


def test_targets_name_services_and_operations() -> None:
    assert READER.services == {"sagemaker", "logs"}
    assert READER.service_of("SageMaker.Foo") == "sagemaker"
    assert READER.service_of("Logs_20140328.GetLogEvents") == "logs"
    assert READER.service_of("TrentService.Encrypt") is None
    assert READER.operation_of("sagemaker", "SageMaker.CreateAlgorithm") == "CreateAlgorithm"
    for target in ("", "SageMaker", "SageMaker.", "SageMaker.Nothing", "Logs_20140328.GetLogEvents", "CreateAlgorithm"):
        with pytest.raises(UnknownOperationException) as refused:
            READER.operation_of("sagemaker", target)
        assert error_body(refused.value) == b'{"__type":"UnknownOperationException"}'


@pytest.mark.parametrize("body", [b"", b"{}", b" \n{ }\r\n", b'{"NextToken":null,"Foreign":{}}'])
def test_an_empty_request_has_no_parameters(body: bytes) -> None:
    assert parameters(body) == {}


def test_of_a_member_given_twice_the_last_one_counts() -> None:
    assert parameters(b'{"MaxResults":1,"MaxResults":2}') == {"MaxResults": 2}


@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b"[]", b"1", b'"x"', b"null", b"\xff", b'{"MaxResults":NaN}', b'{"NextToken":"\\ud800"}',
     b'{"MaxResults":1e999}', b"[" * 5000, b'{"a":' * 5000, b'{"MaxResults":' + b"9" * 5000 + b"}", b'{}{}', b"\x00"],
)  # fmt: skip
def test_a_body_that_is_no_object_of_the_right_types_is_a_serialization_exception(body: bytes) -> None:
    with pytest.raises(SerializationException) as refused:
        parameters(body)
    assert refused.value.message


@given(body=st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    try:
        parameters(body, "CreateAlgorithm")
    except (SerializationException, ValidationException) as refused:
        json.loads(error_body(refused))


def test_violations_become_one_validation_exception() -> None:
    with pytest.raises(ValidationException, match=r"^2 validation errors detected: Value '0' at 'maxResults' failed"):
        parameters(b'{"MaxResults":0,"NextToken":"a\\nb"}')


def test_cloudwatch_logs_has_a_word_of_its_own_for_them() -> None:
    body = b'{"logGroupName": "/aws/sagemaker/TrainingJobs", "limit": 51}'
    with pytest.raises(InvalidParameterException, match=r"^1 validation error detected: Value '51' at 'limit' failed"):
        READER.read(service="logs", operation="DescribeLogStreams", body=body, caller=CALLER, request_id="id-1")


def test_answers_are_shaped_by_the_model() -> None:
    answer = {
        "AlgorithmSummaryList": [
            {
                "AlgorithmName": "a",
                "AlgorithmArn": "arn",
                "CreationTime": 1700000000.43749,
                "AlgorithmDescription": None,
                "AlgorithmStatus": "Pending",
                "Internal": 1,
            }
        ],
        "NextToken": None,
    }
    body = WRITER.write("sagemaker", "ListAlgorithms", answer)
    assert json.loads(body) == {
        "AlgorithmSummaryList": [
            {
                "AlgorithmName": "a",
                "AlgorithmArn": "arn",
                "CreationTime": 1700000000.437,
                "AlgorithmStatus": "Pending",
            }
        ]
    }
    read = as_botocore_reads("ListAlgorithms", body)["AlgorithmSummaryList"][0]["CreationTime"]
    assert read == datetime(2023, 11, 14, 22, 13, 20, 437000, tzinfo=UTC)


def test_times_may_also_be_datetimes() -> None:
    moment = datetime(2023, 11, 14, 23, 13, 20, 437000, tzinfo=timezone(timedelta(hours=1)))
    assert WRITER.shaped("sagemaker", "CreationTime", moment) == 1700000000.437
    assert WRITER.shaped("sagemaker", "CreationTime", moment.astimezone(UTC).replace(tzinfo=None)) == 1700000000.437


def test_stored_bytes_pass_through_and_nothing_is_an_empty_body() -> None:
    assert WRITER.write("sagemaker", "DescribeAlgorithm", b'{"any":  1}') == b'{"any":  1}'
    assert WRITER.write("sagemaker", "DeleteAlgorithm", None) == b""
    assert WRITER.write("sagemaker", "DeleteAlgorithm", {}) == b"{}"
    assert as_botocore_reads("DeleteTags", b"")["ResponseMetadata"] == {"HTTPHeaders": {}, "HTTPStatusCode": 200}


def test_metrics_that_are_no_numbers_are_written_as_words() -> None:
    metrics = [{"MetricName": "a", "Value": value} for value in (0.5, float("nan"), float("inf"), float("-inf"))]
    body = WRITER.write("sagemaker", "DescribeTrainingJob", {"FinalMetricDataList": metrics})
    assert [each["Value"] for each in json.loads(body)["FinalMetricDataList"]] == [0.5, "NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("error", [ValidationException("text é"), ResourceInUse("taken"), ValidationException()])
def test_botocore_reads_the_envelope_of_an_error(error: ServiceError) -> None:
    read = as_botocore_reads("CreateAlgorithm", error_body(error), error.status)
    assert read["Error"]["Code"] == error.code
    assert read["Error"]["Message"] == error.message
