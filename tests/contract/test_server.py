"""The server with boto3 as its client: round trips, routing, errors, limits."""

import http.client
import json
import logging
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.toy_service import ARN, KEYS, STORED, Served, toy_service

CHANNEL = {"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
TRAINING = {"TrainingImage": "i", "SupportedTrainingInstanceTypes": ["ml.m5.large"], "TrainingChannels": [CHANNEL]}
JSON_TYPE = "application/x-amz-json-1.1"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with toy_service() as service:
        yield service


@pytest.fixture(scope="module")
def unguarded() -> Iterator[Served]:
    with toy_service(no_auth=True) as service:
        yield service


def refused(function: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        function(**parameters)
    response: dict[str, Any] = raised.value.response
    return {**response["Error"], "Status": response["ResponseMetadata"]["HTTPStatusCode"]}


class TestRoundTrips:
    def test_a_mapping_is_shaped_and_the_caller_is_known(self, served: Served) -> None:
        answer = served.client("sagemaker").create_algorithm(AlgorithmName="abc", TrainingSpecification=TRAINING)
        assert answer["AlgorithmArn"] == ARN + "abc"
        assert "Inside" not in answer
        call, thread = served.calls[-1]
        assert call.parameters == {"AlgorithmName": "abc", "TrainingSpecification": TRAINING}
        assert (call.caller.access_key, call.caller.account) == (KEYS.access_key, KEYS.account)
        assert call.request_id == answer["ResponseMetadata"]["RequestId"]
        assert uuid.UUID(call.request_id)
        assert thread.startswith("operation")

    def test_reading_operations_run_on_the_loop(self, served: Served) -> None:
        answer = served.client("sagemaker").describe_algorithm(AlgorithmName="stored")
        assert answer["CreationTime"] == datetime(2023, 11, 14, 22, 13, 20, 437000, tzinfo=UTC)
        assert not served.calls[-1][1].startswith("operation")

    def test_times_and_tokens_go_in_and_out(self, served: Served) -> None:
        after = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        answer = served.client("sagemaker").list_algorithms(CreationTimeAfter=after, NextToken="t")
        assert answer["NextToken"] == "t"
        assert answer["AlgorithmSummaryList"][0]["CreationTime"].microsecond == 437000
        assert served.calls[-1][0].parameters["CreationTimeAfter"] == after.timestamp()

    def test_an_empty_answer_still_says_its_type(self, served: Served) -> None:
        headers = served.client("sagemaker").delete_algorithm(AlgorithmName="a")["ResponseMetadata"]["HTTPHeaders"]
        assert (headers["content-type"], headers["content-length"]) == (JSON_TYPE, "0")

    def test_a_base_path_in_the_endpoint_is_kept_and_ignored(self, served: Served) -> None:
        client = served.client("sagemaker", base="/some/base")
        assert client.describe_algorithm(AlgorithmName="a")["AlgorithmName"] == "stored"


class TestErrors:
    def test_an_error_of_an_operation(self, served: Served) -> None:
        error = refused(
            served.client("sagemaker").create_algorithm, AlgorithmName="taken", TrainingSpecification=TRAINING
        )
        assert error == {"Code": "ValidationException", "Message": "Algorithm already exists.", "Status": 400}
        error = refused(served.client("logs").get_log_events, logGroupName="g", logStreamName="s")
        assert error["Code"] == "ResourceNotFoundException"

    def test_all_violations_at_once(self, served: Served) -> None:
        error = refused(served.client("sagemaker").create_algorithm, AlgorithmName="a b", TrainingSpecification={
            **TRAINING, "TrainingImage": "x" * 256, "MetricDefinitions": [{"Name": "m", "Regex": "\n"}]})  # fmt: skip
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith("3 validation errors detected: Value 'a b' at 'algorithmName' failed")

    def test_an_operation_that_is_not_served(self, served: Served) -> None:
        error = refused(served.client("sagemaker").list_models)
        assert (error["Code"], error["Status"]) == ("UnknownOperationException", 400)
        assert "ListModels" in error["Message"]

    def test_our_own_bug_is_logged_with_the_request_id_and_told_without_its_inside(
        self, served: Served, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            error = refused(served.client("sagemaker").add_tags, ResourceArn=ARN + "a", Tags=[])
        assert (error["Code"], error["Status"]) == ("InternalFailure", 500)
        assert "inside" not in error["Message"]
        (record,) = [each for each in caplog.records if each.name == "sagestone.server"]
        assert record.getMessage().split()[0] in error["Message"]
        assert record.exc_info is not None

    def test_a_wrong_secret(self, served: Served) -> None:
        error = refused(served.client("sagemaker", secret="wrong").describe_algorithm, AlgorithmName="a")
        assert (error["Code"], error["Status"]) == ("InvalidSignatureException", 400)

    def test_the_signature_is_checked_before_the_operation(self, served: Served) -> None:
        error = refused(served.client("sagemaker", secret="wrong").list_models)
        assert error["Code"] == "InvalidSignatureException"

    def test_no_signature(self, served: Served) -> None:
        headers = {"X-Amz-Target": "SageMaker.DescribeAlgorithm", "Content-Type": JSON_TYPE}
        status, body, answer = served.send(body=b"{}", headers=headers)
        assert (status, json.loads(body)["__type"]) == (400, "MissingAuthenticationTokenException")
        assert answer["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
        assert uuid.UUID(answer["x-amzn-RequestId"])
        assert answer["Content-Type"] == JSON_TYPE


class TestRouting:
    def test_s3_goes_to_the_s3_face(self, served: Served) -> None:
        for method, path in (("GET", "/bucket/key"), ("GET", "/?x-id=ListBuckets"), ("PUT", "/b/k"), ("DELETE", "/b")):
            status, body, _ = served.send(method, path)
            assert (status, body) == (200, b"the S3 face")
        url = served.client("s3", signature_version="s3v4").generate_presigned_url(
            "get_object", Params={"Bucket": "b", "Key": "health"}
        )
        assert served.send("GET", url.removeprefix(served.endpoint))[1] == b"the S3 face"
        assert served.client("s3").get_object(Bucket="b", Key="k")["Body"].read() == b"the S3 face"

    @pytest.mark.parametrize(
        ("service", "operation", "parameters", "code"),
        [
            ("sts", "get_caller_identity", {}, "InvalidAction"),
            ("iam", "get_role", {"RoleName": "r"}, "InvalidAction"),
            ("ecr", "describe_repositories", {}, "UnknownOperationException"),
            ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}, "UnknownOperationException"),
            ("lambda", "list_functions", {}, "UnknownOperationException"),
        ],
    )
    def test_a_service_that_is_not_served_says_so(
        self, served: Served, service: str, operation: str, parameters: dict[str, Any], code: str
    ) -> None:
        error = refused(getattr(served.client(service), operation), **parameters)
        assert (error["Code"], error["Status"]) == (code, 400)

    def test_health_needs_no_signature(self, served: Served) -> None:
        status, body, _ = served.send("GET", "/health")
        assert (status, json.loads(body)["status"]) == (200, "ok")
        assert served.send("HEAD", "/health")[0] == 200

    def test_a_crash_of_the_s3_face_is_an_internal_error(self, served: Served) -> None:
        status, body, _ = served.send("GET", "/broken/early")
        assert status == 500
        assert b"<Code>InternalError</Code>" in body
        assert b"inside" not in body
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            served.send("GET", "/broken/late")

    def test_without_the_embedded_store_s3_requests_are_told_where_to_go(self) -> None:
        with toy_service(with_s3=False) as service:
            error = refused(service.client("s3").list_buckets)
            assert (error["Code"], error["Status"]) == ("InvalidRequest", 400)
            assert "s3_endpoint" in error["Message"]


class TestWithoutAuthentication:
    def test_unsigned_and_wrongly_signed_requests_are_served(self, unguarded: Served) -> None:
        headers = {"X-Amz-Target": "SageMaker.DescribeAlgorithm", "Content-Type": JSON_TYPE}
        assert unguarded.send(body=b'{"AlgorithmName":"a"}', headers=headers)[:2] == (200, STORED)
        client = unguarded.client("sagemaker", secret="wrong")
        assert client.describe_algorithm(AlgorithmName="a")["AlgorithmName"] == "stored"


class TestBodies:
    HEADERS = {"X-Amz-Target": "SageMaker.DescribeAlgorithm", "Content-Type": JSON_TYPE}  # noqa: RUF012

    def test_a_body_over_the_limit_is_refused_by_its_length(self, unguarded: Served) -> None:
        status, body, _ = unguarded.send(body=b" " * 1_000_001, headers=self.HEADERS)
        assert (status, json.loads(body)["__type"]) == (413, "RequestEntityTooLarge")
        assert "max_request_mb" in json.loads(body)["message"]

    def test_a_chunked_body_over_the_limit_is_refused_while_it_is_read(self, unguarded: Served) -> None:
        chunks = (b" " * 100_000 for _ in range(11))
        status, body, _ = unguarded.send(body=chunks, headers=self.HEADERS)
        assert (status, json.loads(body)["__type"]) == (413, "RequestEntityTooLarge")

    def test_a_chunked_body_within_it_is_read(self, unguarded: Served) -> None:
        chunks = iter([b'{"Algorithm', b'Name":"a"}', b" " * 900_000])
        assert unguarded.send(body=chunks, headers=self.HEADERS)[:2] == (200, STORED)

    def test_100_continue_is_answered_before_the_body_is_sent(self, unguarded: Served) -> None:
        body = b'{"AlgorithmName":"a"}'
        head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.HEADERS.items())
        with socket.create_connection(("127.0.0.1", unguarded.port), timeout=30) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        with socket.create_connection(("127.0.0.1", unguarded.port), timeout=30) as connection:
            connection.sendall(f"{head}Content-Length: 99999999\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")

    def test_a_body_that_breaks_off_harms_nobody(self, unguarded: Served) -> None:
        with socket.create_connection(("127.0.0.1", unguarded.port), timeout=30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nX-Amz-Target: SageMaker.X\r\nContent-Length: 100\r\n\r\n{")
        assert unguarded.send("GET", "/health")[0] == 200

    def test_a_large_valid_body_is_answered_from_a_thread(self, unguarded: Served) -> None:
        body = b'{"AlgorithmName":"a"}' + b" " * 200_000
        assert unguarded.send(body=body, headers=self.HEADERS)[:2] == (200, STORED)
        assert unguarded.calls[-1][1].startswith("operation")


def test_a_stop_answers_what_is_under_way_and_frees_the_port() -> None:
    with toy_service(no_auth=True) as service:
        statuses: list[int] = []
        headers = {"X-Amz-Target": "SageMaker.CreateAlgorithm", "Content-Type": JSON_TYPE}
        body = json.dumps({"AlgorithmName": "a", "TrainingSpecification": TRAINING}).encode()
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
            head = "POST / HTTP/1.1\r\nHost: h\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            assert b"100 Continue" in connection.recv(1000)  # the request has arrived
            stopping = threading.Thread(target=service.stop)
            stopping.start()
            connection.sendall(body)
            statuses.append(int(connection.recv(1000).split()[1]))
            stopping.join(30)
        assert statuses == [200]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", service.port), timeout=30)
