"""Nothing a client sends makes the server answer 5xx, or keeps it from answering the next request."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.toy_service import KEYS, Served, toy_service

TARGETS = st.sampled_from(
    ["SageMaker.CreateAlgorithm", "SageMaker.ListAlgorithms", "SageMaker.DescribeAlgorithm",
     "Logs_20140328.GetLogEvents", "SageMaker.CreateTrainingJob", "SageMaker.", ".", "", "TrentService.Encrypt",
     "SageMaker.Foo.Bar"]
)  # fmt: skip
ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
NAMES = st.sampled_from(["AlgorithmName", "TrainingSpecification", "TrainingChannels", "Tags", "Key", "MaxResults"])
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with toy_service() as service:
        yield service


def signed(served: Served, body: bytes, target: str, service: str = "sagemaker") -> dict[str, str]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = AWSRequest("POST", served.endpoint + "/", headers=headers, data=body)
    SigV4Auth(Credentials(KEYS.access_key, KEYS.secret_key), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def answer(served: Served, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    status, text, reply_headers = served.send(body=body, headers=headers)
    assert status < 500, text
    assert reply_headers["x-amzn-RequestId"]
    document: Any = json.loads(text) if text else None
    if status != 200:
        assert document["__type"] == reply_headers["x-amzn-ErrorType"]
    return status, document


@QUICK
@given(body=st.binary(max_size=300), target=TARGETS)
def test_any_bytes_are_answered_or_refused(served: Served, body: bytes, target: str) -> None:
    answer(served, body, signed(served, body, target))


@QUICK
@given(document=JSON, target=TARGETS)
def test_any_json_is_answered_or_refused(served: Served, document: Any, target: str) -> None:
    body = json.dumps(document).encode()
    answer(served, body, signed(served, body, target))


@QUICK
@given(
    name=st.sampled_from(["Authorization", "X-Amz-Date", "X-Amz-Target", "Content-Type", "X-Amz-Security-Token"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
)
def test_any_value_of_a_header_is_answered_or_refused(served: Served, name: str, value: str) -> None:
    body = b'{"AlgorithmName":"a"}'
    headers = {**signed(served, body, "SageMaker.DescribeAlgorithm"), name: value}
    answer(served, body, headers)


@QUICK
@given(cut=st.integers(0, 400), noise=st.binary(max_size=8))
def test_a_damaged_authorization_header_is_never_accepted(served: Served, cut: int, noise: bytes) -> None:
    body = b'{"AlgorithmName":"a"}'
    headers = signed(served, body, "SageMaker.DescribeAlgorithm")
    whole = headers["Authorization"]
    headers["Authorization"] = whole[:cut] + noise.hex() + whole[cut + 1 :]
    if headers["Authorization"].replace(" ", "") != whole.replace(" ", ""):  # the blank after a comma may be missing
        assert answer(served, body, headers)[0] == 400


@QUICK
@given(noise=st.binary(min_size=1, max_size=200), after=st.sampled_from([b"", b"POST / HTTP/1.1\r\n", b"PUT /b/k?"]))
def test_noise_on_the_line_ends_at_most_its_own_connection(served: Served, noise: bytes, after: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(after + noise + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        try:
            told = connection.recv(1000)
        except ConnectionResetError:
            told = b""
    assert not told.startswith(b"HTTP/1.1 5"), told
    assert served.send("GET", "/health")[0] == 200


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"Tags":[' + b"{}," * 100_000 + b"{}]}",
                                  b'{"AlgorithmName":"' + b"a-" * 400_000 + b'"}'])  # fmt: skip
def test_deep_wide_and_long_bodies_are_refused(served: Served, body: bytes) -> None:
    assert answer(served, body, signed(served, body, "SageMaker.CreateAlgorithm"))[0] == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nX: \x01\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListAlgorithms\r\nContent-Length: 99\r\n\r\nhalf",
    ],
    ids=["control character", "TLS", "half a body"],
)
def test_strangers_fill_no_log(served: Served, caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    """Neither bytes that are no HTTP nor a client that goes away is worth an error with a traceback."""
    with caplog.at_level(logging.WARNING):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass
        assert served.send("GET", "/health")[0] == 200
    assert [each.getMessage() for each in caplog.records if each.name.startswith(("sagestone", "aiohttp"))] == []


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : canary\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: canary" + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /?X-Amz-Signature=canary" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /?X-Amz-Signature=canary HTTP/canary\r\n\r\n",
    ],
)
def test_what_is_no_http_is_not_in_the_log(served: Served, caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    with (
        caplog.at_level(logging.INFO),
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as stranger,
    ):
        stranger.sendall(sent)
        assert stranger.recv(100).startswith(b"HTTP/1.0 400")
    told = [each.getMessage() for each in caplog.records]
    assert any(line.startswith("refused what is no HTTP: ") for line in told)
    assert "canary" not in "\n".join(told)


def test_a_connection_lost_between_two_requests_fills_no_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Both came at once, the second with half a body."""
    first = b"GET /lost HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListAlgorithms\r\nContent-Length: 99\r\n\r\nhalf"
    with caplog.at_level(logging.WARNING):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(first + second)
            with suppress(ConnectionResetError):
                while connection.recv(1000):
                    pass
        assert served.send("GET", "/health")[0] == 200
    assert [each.getMessage() for each in caplog.records if each.name.startswith(("sagestone", "aiohttp"))] == []


def test_another_service_in_the_scope_than_in_the_target_is_refused(served: Served) -> None:
    body = b'{"AlgorithmName":"a"}'
    status, document = answer(served, body, signed(served, body, "SageMaker.DescribeAlgorithm", service="logs"))
    assert (status, document) == (400, {"__type": "UnknownOperationException"})
