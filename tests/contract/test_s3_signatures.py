"""Who is let in: signatures of both versions, in headers and in URLs, and bodies in signed and unsigned chunks."""

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sagestone.wire.signature import Seed, chunk_signature, signing_key
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, RunningFace, running_face

KEY = "folder/a b+ü"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("s3")) as running:
        running.storage.buckets.create("data", REGION, 0.0)
        running.client().put_object(Bucket="data", Key=KEY, Body=b"signed")
        yield running


@pytest.fixture(scope="module")
def later(face: RunningFace) -> Iterator[RunningFace]:
    """The same store, two minutes ahead."""
    with running_face(face.storage.directory, clock=lambda: time.time() + 120) as running:
        yield running


def fetch(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    port: int | None = None,
) -> tuple[int, bytes]:
    """Send a request to the loopback address whatever host the URL names."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port or parts.port, timeout=30)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, body=body, headers={"Host": parts.netloc, **(headers or {})})
    response = connection.getresponse()
    return response.status, response.read()


def error_code(body: bytes) -> str:
    found = re.search(b"<Code>(.*)</Code>", body)
    return found[1].decode() if found else ""


def signed_put(face: RunningFace, payload: str, headers: dict[str, str], at: datetime | None = None) -> dict[str, str]:
    """The headers of a PUT of data/raw, signed by botocore."""
    request = AWSRequest("PUT", f"{face.endpoint}/data/raw", headers={"x-amz-content-sha256": payload, **headers})
    auth = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    request.context["timestamp"] = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    signed = auth.signed_headers(auth.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={signed}, Signature={signature}"
    )
    return dict(request.headers.items())


class TestPresigned:
    @pytest.mark.parametrize("version", [None, "s3", "s3v4"])
    @pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1"])
    @pytest.mark.parametrize("style", ["path", "virtual"])
    def test_urls_work_until_they_expire(
        self, face: RunningFace, later: RunningFace, version: Any, region: str, style: str
    ) -> None:
        s3 = face.client(
            region_name=region,
            endpoint=f"http://localhost:{face.port}",
            signature_version=version,
            s3={"addressing_style": style},
        )
        place = {"Bucket": "data", "Key": KEY}
        url = s3.generate_presigned_url("get_object", Params={**place, "ResponseContentType": "text/x"}, ExpiresIn=60)
        assert fetch(url) == (200, b"signed")
        listing = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "data", "Prefix": "folder"})
        assert b"<Key>" in fetch(listing)[1]
        assert error_code(fetch(url.replace("Signature=", "Signature=A"))[1]) == "SignatureDoesNotMatch"
        assert error_code(fetch(url.replace("folder", "f0lder"))[1]) == "SignatureDoesNotMatch"
        assert error_code(fetch(url, "DELETE")[1]) == "SignatureDoesNotMatch"
        status, body = fetch(url, port=later.port)
        assert (status, error_code(body)) == (403, "AccessDenied")
        assert b"Request has expired" in body

    @pytest.mark.parametrize(
        ("method", "query"),
        [
            ("GET", "response-expires=%00"),
            ("HEAD", "response-cache-control=a%0d%0aX-Injected:%20b"),
            ("PUT", "x-amz-meta-a=%7f"),
            ("PUT", "x-amz-meta-a%0d%0aX-Injected=b"),
            ("PUT", "x-amz-meta-a%3a%20b=c"),
        ],
    )
    def test_a_query_brings_nothing_that_no_header_may_hold(self, face: RunningFace, method: str, query: str) -> None:
        """It would stand in the head of this answer, or of every later one."""
        request = AWSRequest(
            method, f"{face.endpoint}/data/{'raw' if method == 'PUT' else 'folder/a%20b%2B%C3%BC'}?{query}"
        )
        S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION, expires=60).add_auth(request)
        status, body = fetch(request.url, method, b"x" if method == "PUT" else None)
        assert status == 400
        assert error_code(body) == ("" if method == "HEAD" else "InvalidArgument")

    @pytest.mark.parametrize("version", ["s3", "s3v4"])
    def test_uploads_by_url(self, face: RunningFace, version: str) -> None:
        s3 = face.client(signature_version=version)
        place = {"Bucket": "data", "Key": f"by-url-{version}"}
        url = s3.generate_presigned_url("put_object", Params={**place, "ContentType": "text/csv"})
        request = urllib.request.Request(url, b"1,2", {"Content-Type": "text/csv"}, method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        got = s3.get_object(**place)
        assert (got["Body"].read(), got["ContentType"]) == (b"1,2", "text/csv")
        request = urllib.request.Request(url, b"1,2", {"Content-Type": "text/html"}, method="PUT")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=30)

    def test_a_checksum_in_the_url_says_nothing_of_the_body(self, face: RunningFace) -> None:
        # The JavaScript SDK signs the CRC32 of an empty body into every URL for a PUT.
        place = f"{face.endpoint}/data/by-javascript"
        request = AWSRequest("PUT", f"{place}?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32")
        S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION, expires=60).add_auth(request)
        urllib.request.urlopen(urllib.request.Request(request.url, b"1,2", method="PUT"), timeout=30).close()
        assert face.client().get_object(Bucket="data", Key="by-javascript")["Body"].read() == b"1,2"


class TestHeaders:
    def test_two_signatures_are_one_too_many(self, face: RunningFace) -> None:
        url = face.client(signature_version="s3v4").generate_presigned_url("list_buckets")
        request = urllib.request.Request(url, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            urllib.request.urlopen(request, timeout=30)
        assert error_code(refused.value.read()) == "InvalidArgument"

    @pytest.mark.parametrize("version", ["s3", "s3v4"])
    def test_right_and_wrong_secrets(self, face: RunningFace, version: str) -> None:
        assert face.client(signature_version=version).get_object(Bucket="data", Key=KEY)["Body"].read() == b"signed"
        for wrong, code in [
            ({"secret": "wrong"}, "SignatureDoesNotMatch"),
            ({"access_key": "AKIAUNKNOWN"}, "InvalidAccessKeyId"),
            ({"session_token": "token"}, "InvalidToken"),
        ]:
            s3 = face.client(signature_version=version, **wrong)
            for data in (b"x", b"x" * 10**6):
                with pytest.raises(ClientError) as raised:
                    s3.put_object(Bucket="data", Key="x", Body=data)
                assert raised.value.response["Error"]["Code"] == code

    def test_nobody_unsigned_comes_in(self, face: RunningFace) -> None:
        for asked in ("GET /", "GET /data/k", "PUT /data/k", "DELETE /data", "POST /data?delete"):
            method, _, target = asked.partition(" ")
            status, body = fetch(face.endpoint + target, method, b"x" if method in ("PUT", "POST") else None)
            assert (status, error_code(body)) == (403, "AccessDenied")
        status, body = fetch(f"{face.endpoint}/data/k", headers={"Authorization": "AWS4-HMAC-SHA256 nonsense"})
        assert (status, error_code(body)) == (400, "AuthorizationHeaderMalformed")
        status, body = fetch(f"{face.endpoint}/data/k", headers={"Authorization": "Bearer token"})
        assert (status, error_code(body)) == (400, "AuthorizationHeaderMalformed")

    def test_clocks_that_differ(self, face: RunningFace) -> None:
        payload = hashlib.sha256(b"x").hexdigest()
        for minutes in (-16, 16):
            headers = signed_put(face, payload, {}, datetime.now(UTC) + timedelta(minutes=minutes))
            status, body = fetch(f"{face.endpoint}/data/raw", "PUT", b"x", headers)
            assert (status, error_code(body)) == (403, "RequestTimeTooSkewed")

    def test_headers_that_were_not_signed(self, face: RunningFace) -> None:
        headers = signed_put(face, hashlib.sha256(b"x").hexdigest(), {})
        status, body = fetch(f"{face.endpoint}/data/raw", "PUT", b"x", headers | {"x-amz-meta-late": "1"})
        assert (status, error_code(body)) == (403, "AccessDenied")
        assert b"not signed" in body

    def test_a_body_that_is_not_the_signed_one(self, face: RunningFace) -> None:
        headers = signed_put(face, hashlib.sha256(b"good").hexdigest(), {})
        status, body = fetch(f"{face.endpoint}/data/raw", "PUT", b"evil", headers)
        assert (status, error_code(body)) == (400, "XAmzContentSHA256Mismatch")

    def test_without_authentication_anybody_may(self, tmp_path: Path) -> None:
        with running_face(tmp_path / "open", authentication=False) as open_face:
            s3 = open_face.client(secret="anything")
            s3.create_bucket(Bucket="data")
            s3.put_object(Bucket="data", Key="k", Body=b"x")
            assert fetch(f"{open_face.endpoint}/data/k") == (200, b"x")


class TestChunks:
    def test_unsigned_chunks_with_a_trailer(self, face: RunningFace) -> None:
        """What boto3 sends over TLS."""
        value = b64encode(crc32(b"hello").to_bytes(4, "big")).decode()
        for trailer, status in ((value, 200), ("AAAAAA==", 400)):
            headers = signed_put(
                face,
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                {
                    "x-amz-trailer": "x-amz-checksum-crc32",
                    "x-amz-decoded-content-length": "5",
                    "content-encoding": "aws-chunked",
                    "x-amz-sdk-checksum-algorithm": "CRC32",
                },
            )
            body = f"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()
            assert fetch(f"{face.endpoint}/data/raw", "PUT", body, headers)[0] == status
            got = face.client().get_object(Bucket="data", Key="raw", ChecksumMode="ENABLED")
            assert (got["Body"].read(), got["ChecksumCRC32"]) == (b"hello", value)
            assert "ContentEncoding" not in got

    @pytest.mark.parametrize("spoilt", [False, True])
    def test_signed_chunks(self, face: RunningFace, spoilt: bool) -> None:
        face.client().put_object(Bucket="data", Key="raw", Body=b"before")
        headers = signed_put(
            face,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            {"x-amz-decoded-content-length": "10", "content-encoding": "aws-chunked,gzip"},
        )
        date = headers["X-Amz-Date"]
        seed = Seed(
            signing_key=signing_key(SECRET_KEY, date[:8], REGION, "s3"),
            scope=f"{date[:8]}/{REGION}/s3/aws4_request",
            timestamp=date,
            signature=headers["Authorization"].rpartition("=")[2],
        )
        body, previous = b"", seed.signature
        for chunk in (b"01234567", b"89", b""):
            previous = chunk_signature(seed, previous, hashlib.sha256(chunk).hexdigest())
            body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + b"\r\n"
        if spoilt:
            body = body.replace(b"89", b"98")
        status, answer = fetch(f"{face.endpoint}/data/raw", "PUT", body, headers)
        got = face.client().get_object(Bucket="data", Key="raw")
        if spoilt:
            assert (status, error_code(answer)) == (403, "SignatureDoesNotMatch")
            assert got["Body"].read() == b"before"
        else:
            assert status == 200
            assert (got["Body"].read(), got["ContentEncoding"]) == (b"0123456789", "gzip")
