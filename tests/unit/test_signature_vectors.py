"""Signatures that AWS has published: the test suite of version 4 and the examples in the S3 reference."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sagestone.wire.signature import (
    EMPTY_SHA256,
    SignatureProblem,
    SignedRequest,
    chunk_signature,
    parse_authorization,
    signing_key,
    verify,
)

SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = json.loads((Path(__file__).parents[1] / "golden" / "signatures" / "suite.json").read_text())
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SUITE_TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp()
S3_TIME = datetime(2013, 5, 24, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("form", ["in_headers", "in_url"])
@pytest.mark.parametrize("vector", SUITE, ids=lambda vector: str(vector["name"]))
def test_the_published_suite(vector: dict[str, Any], form: str) -> None:
    given = vector[form]
    headers = [(name, value) for name, value in given["headers"]]
    request = SignedRequest.of(given["method"], given["target"], headers).with_body(given["body"].encode())
    credential = parse_authorization(request)
    assert credential is not None
    if vector["name"] == "post-sts-header-after":
        # The token was put in after signing. Who could swap it could act for another: it has to be signed here.
        with pytest.raises(SignatureProblem) as unsigned:
            verify(request, credential, SUITE_SECRET, now=SUITE_TIME)
        assert unsigned.value.kind == ("not_signed" if form == "in_headers" else "mismatch")
        return
    verify(request, credential, SUITE_SECRET, now=SUITE_TIME)
    with pytest.raises(SignatureProblem) as refused:
        verify(request, credential, SUITE_SECRET[:-1], now=SUITE_TIME)
    assert refused.value.kind == "mismatch"


def s3_request(method: str, target: str, headers: list[tuple[str, str]], signature: str) -> SignedRequest:
    signed = ";".join(sorted(name.lower() for name, _ in headers))
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders={signed},Signature={signature}"
    )
    return SignedRequest.of(method, target, [*headers, ("Authorization", authorization)])


def test_the_range_request_of_the_s3_reference() -> None:
    request = s3_request(
        "GET",
        "/test.txt",
        [
            ("Host", "examplebucket.s3.amazonaws.com"),
            ("Range", "bytes=0-9"),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", "20130524T000000Z"),
        ],
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    )
    credential = parse_authorization(request)
    assert credential is not None
    assert verify(request, credential, S3_SECRET, now=S3_TIME).signature == credential.signature


def test_the_presigned_url_of_the_s3_reference() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    request = SignedRequest.of("GET", f"/test.txt?{query}", [("Host", "examplebucket.s3.amazonaws.com")])
    credential = parse_authorization(request)
    assert credential is not None
    assert credential.presigned
    verify(request, credential, S3_SECRET, now=S3_TIME + 86400)
    with pytest.raises(SignatureProblem) as refused:
        verify(request, credential, S3_SECRET, now=S3_TIME + 86401)
    assert refused.value.kind == "link_expired"
    assert refused.value.text.startswith("Signature expired: 20130524T000000Z is now earlier than 20130524T000001Z (")


def test_the_signed_chunks_of_the_s3_reference() -> None:
    request = s3_request(
        "PUT",
        "/examplebucket/chunkObject.txt",
        [
            ("content-encoding", "aws-chunked"),
            ("content-length", "66824"),
            ("host", "s3.amazonaws.com"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    )
    credential = parse_authorization(request)
    assert credential is not None
    seed = verify(request, credential, S3_SECRET, now=S3_TIME)
    assert seed.signing_key == signing_key(S3_SECRET, "20130524", "us-east-1", "s3")
    told = seed.signature
    for size, expected in (
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ):
        told = chunk_signature(seed, told, hashlib.sha256(b"a" * size).hexdigest())
        assert told == expected
