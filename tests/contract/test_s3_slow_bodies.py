"""A body of which nothing more comes is given up, and leaves nothing."""

import socket
from collections.abc import Iterator

import pytest

from tests.fuzz.case import http_request
from tests.fuzz.sign import Keys, sign
from tests.s3_face import ACCESS_KEY, SECRET_KEY, RunningFace, running_face


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("store"), body_patience=0.3) as running:
        running.client().create_bucket(Bucket="bucket")
        yield running


@pytest.mark.parametrize(
    ("method", "query"),
    [("PUT", ""), ("POST", "uploads="), ("POST", "delete=")],
    ids=["object", "no body is expected", "XML"],
)
def test_a_body_that_stops_is_given_up(face: RunningFace, method: str, query: str) -> None:
    path = "/bucket" if query.startswith("delete") else "/bucket/key"
    headers = {"Host": f"127.0.0.1:{face.port}", "Content-Length": "100"}
    keys = Keys(access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    signed = sign(keys, "s3", method, path, query, headers, "UNSIGNED-PAYLOAD")
    request = http_request(method, f"{path}?{query}" if query else path, signed.headers, b"")
    with socket.create_connection(("127.0.0.1", face.port), timeout=60) as connection:
        connection.sendall(request + (b"" if query == "uploads=" else b"half"))
        heard = b""
        while data := connection.recv(10_000):
            heard += data
    assert heard.startswith(b"HTTP/1.1 400")
    assert b"<Code>RequestTimeout</Code>" in heard
    client = face.client()
    assert client.list_objects_v2(Bucket="bucket")["KeyCount"] == 0
    assert "Uploads" not in client.list_multipart_uploads(Bucket="bucket")
