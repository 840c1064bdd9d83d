"""Signature version 4 with botocore's signers as the peer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st

from sagestone.wire.signature import (
    Credential,
    SignatureProblem,
    SignedRequest,
    check_scope,
    claimed_service,
    parse_authorization,
    verify,
)

SECRET = "a/secret+key"
BODY = b'{"AlgorithmName":"a"}'
JSON_HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker.DescribeAlgorithm"}


def signed_by_botocore(
    signer: Callable[..., Any],
    service: str,
    *,
    target: str = "/",
    method: str = "POST",
    headers: dict[str, str] | None = None,
    body: bytes = BODY,
    **options: Any,
) -> SignedRequest:
    request = AWSRequest(method, f"http://localhost:8470{target}", headers=headers or JSON_HEADERS, data=body)
    signer(Credentials("AKIDEXAMPLE", SECRET), service, "us-east-1", **options).add_auth(request)
    prepared = request.prepare()
    pairs = [
        (name, value if isinstance(value, str) else value.decode("utf-8")) for name, value in prepared.headers.items()
    ]
    sent = prepared.url.removeprefix("http://localhost:8470")
    return SignedRequest.of(method, sent, [("Host", "localhost:8470"), *pairs]).with_body(prepared.body or b"")


def credential_of(request: SignedRequest) -> Credential:
    credential = parse_authorization(request)
    assert credential is not None
    return credential


def accept(request: SignedRequest, secret: str = SECRET, shift: float = 0.0) -> None:
    credential = credential_of(request)
    verify(request, credential, secret, now=credential.signed_at + shift)


def refusal(request: SignedRequest, secret: str = SECRET, shift: float = 0.0) -> SignatureProblem:
    with pytest.raises(SignatureProblem) as refused:
        accept(request, secret, shift)
    return refused.value


def changed(request: SignedRequest, **headers: str) -> SignedRequest:
    new = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return SignedRequest(
        method=request.method,
        raw_path=request.raw_path,
        raw_query=request.raw_query,
        headers={name: value for name, value in new.items() if value},
        body_hash=request.body_hash,
    )


SIGNERS = [
    pytest.param(SigV4Auth, "sagemaker", {}, id="sagemaker"),
    pytest.param(SigV4Auth, "logs", {}, id="logs"),
    pytest.param(S3SigV4Auth, "s3", {}, id="s3"),
    pytest.param(SigV4QueryAuth, "sagemaker", {"expires": 60}, id="sagemaker-presigned"),
    pytest.param(S3SigV4QueryAuth, "s3", {"expires": 60}, id="s3-presigned"),
]


@pytest.mark.parametrize(("signer", "service", "options"), SIGNERS)
class TestEverySigner:
    def test_is_accepted(self, signer: Any, service: str, options: dict[str, Any]) -> None:
        request = signed_by_botocore(signer, service, **options)
        assert claimed_service(request) == service
        accept(request)

    def test_a_wrong_secret_is_a_mismatch_that_says_what_was_signed(
        self, signer: Any, service: str, options: dict[str, Any]
    ) -> None:
        problem = refusal(signed_by_botocore(signer, service, **options), "another")
        assert problem.kind == "mismatch"
        assert problem.text.startswith("The request signature we calculated does not match")
        assert problem.canonical_request.startswith("POST\n/\n")
        assert problem.string_to_sign.startswith("AWS4-HMAC-SHA256\n")

    @pytest.mark.parametrize("name", ["host", "x-amz-target", "content-type"])
    def test_a_changed_header_is_a_mismatch(
        self, signer: Any, service: str, options: dict[str, Any], name: str
    ) -> None:
        request = signed_by_botocore(signer, service, **options)
        assert refusal(changed(request, **{name: "other"})).kind == "mismatch"
        assert refusal(changed(request, **{name: ""})).kind == "mismatch"

    def test_a_changed_query_is_a_mismatch(self, signer: Any, service: str, options: dict[str, Any]) -> None:
        request = signed_by_botocore(signer, service, target="/?a=1", **options)
        with_other = SignedRequest(
            method="POST", raw_path="/", raw_query=f"{request.raw_query}&b=2", headers=request.headers,
            body_hash=request.body_hash,
        )  # fmt: skip
        assert refusal(with_other).kind == "mismatch"

    def test_a_header_given_twice_is_a_mismatch(self, signer: Any, service: str, options: dict[str, Any]) -> None:
        request = signed_by_botocore(signer, service, **options)
        twice = SignedRequest.of(
            "POST",
            f"/?{request.raw_query}" if request.raw_query else "/",
            [*request.headers.items(), ("X-Amz-Target", "SageMaker.DeleteAlgorithm")],
        ).with_body(BODY)
        assert refusal(twice).kind == "mismatch"


def test_another_body_is_refused() -> None:
    assert refusal(signed_by_botocore(SigV4Auth, "sagemaker").with_body(b"{}")).kind == "mismatch"
    assert refusal(signed_by_botocore(S3SigV4Auth, "s3").with_body(b"other")).kind == "content_hash"


def test_an_s3_body_that_is_not_read_yet_is_taken_at_its_word() -> None:
    request = signed_by_botocore(S3SigV4Auth, "s3")
    unread = SignedRequest(method="POST", raw_path="/", raw_query="", headers=request.headers)
    accept(unread)
    assert refusal(changed(unread, x_amz_content_sha256="UNSIGNED-PAYLOAD")).kind == "mismatch"
    assert refusal(changed(unread, x_amz_content_sha256="nonsense")).kind == "content_hash"
    assert refusal(changed(unread, x_amz_content_sha256="")).kind == "content_hash"


@pytest.mark.parametrize(("shift", "kind"), [(-901, "not_yet"), (-900, None), (900, None), (901, "expired")])
def test_the_clocks_may_differ_by_fifteen_minutes(shift: float, kind: str | None) -> None:
    request = signed_by_botocore(SigV4Auth, "sagemaker")
    if kind is None:
        accept(request, shift=shift)
        return
    problem = refusal(request, shift=shift)
    stamp = credential_of(request).timestamp
    assert problem.kind == kind
    texts = {
        "expired": rf"Signature expired: {stamp} is now earlier than \d{{8}}T\d{{6}}Z \(\d{{8}}T\d{{6}}Z - 15 min\.\)",
        "not_yet": (
            rf"Signature not yet current: {stamp} is still later than \d{{8}}T\d{{6}}Z \(\d{{8}}T\d{{6}}Z \+ 15 min\.\)"
        ),
    }
    assert re.fullmatch(texts[kind], problem.text)


@pytest.mark.parametrize(("shift", "kind"), [(-901, "not_yet"), (0, None), (60, None), (61, "link_expired")])
def test_a_presigned_request_lives_as_long_as_it_says(shift: float, kind: str | None) -> None:
    request = signed_by_botocore(S3SigV4QueryAuth, "s3", expires=60)
    if kind is None:
        accept(request, shift=shift)
    else:
        assert refusal(request, shift=shift).kind == kind


PATHS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
NAMES = st.text(st.sampled_from("abz-_.~ /?&=+%é€:@!$'()*,;"), min_size=1, max_size=8)


@given(key=PATHS, query=st.lists(st.tuples(NAMES, NAMES), max_size=4), presigned=st.booleans())
def test_any_s3_key_and_query_that_botocore_signs_is_accepted(
    key: str, query: list[tuple[str, str]], presigned: bool
) -> None:
    target = "/bucket/" + percent_encode(key, safe="/~")
    if query:
        target += "?" + percent_encode_sequence(query)
    signer = S3SigV4QueryAuth if presigned else S3SigV4Auth
    if presigned:  # botocore folds repeated names of a presigned query into one
        target = target.partition("?")[0]
    accept(signed_by_botocore(signer, "s3", method="PUT", target=target))


@given(path=PATHS)
def test_any_path_that_botocore_signs_for_another_service_is_accepted(path: str) -> None:
    accept(signed_by_botocore(SigV4Auth, "sagemaker", target="/" + percent_encode(path, safe="/~").lstrip("/")))


def test_fewer_escapes_on_the_wire_than_in_the_signature_are_accepted() -> None:
    request = signed_by_botocore(S3SigV4Auth, "s3", method="GET", target="/b/a%3D%28%29?prefix=x%2Fy%20z", body=b"")
    relaxed = SignedRequest(
        method="GET", raw_path="/b/a=()", raw_query="prefix=x/y+z", headers=request.headers, body_hash=request.body_hash
    )
    accept(relaxed)


AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/sagemaker/aws4_request"


@pytest.mark.parametrize(
    ("authorization", "kind", "text"),
    [
        ("AWS AK:signature", "incomplete", "Unsupported AWS 'algorithm': 'AWS'"),
        ("Bearer token", "incomplete", "Unsupported AWS 'algorithm': 'Bearer'"),
        ("", "incomplete", "Unsupported AWS 'algorithm'"),
        (
            f"{AUTHORIZATION}, SignedHeaders=host, nonsense",
            "incomplete",
            "'nonsense' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4",
        ),
        (
            "AWS4-HMAC-SHA256 SignedHeaders=host",
            "incomplete",
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. Authorization=AWS4",
        ),
        (f"{AUTHORIZATION},Signature=00", "incomplete", "Authorization header requires 'SignedHeaders' parameter."),
        (
            "AWS4-HMAC-SHA256 Credential=AK/us-east-1, SignedHeaders=host, Signature=00",
            "incomplete",
            "Credential must have at least 5 slash-delimited elements",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/sagemaker/aws5, SignedHeaders=host, Signature=00",
            "scope",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=00",
            "scope",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261123' != "
            "'20261124', from '20261124T000000Z'.",
        ),
    ],
)
def test_a_malformed_authorization_header_is_explained(authorization: str, kind: str, text: str) -> None:
    headers = [("Host", "h"), ("X-Amz-Date", "20261124T000000Z"), ("Authorization", authorization)]
    with pytest.raises(SignatureProblem) as refused:
        parse_authorization(SignedRequest.of("POST", "/", headers))
    assert (refused.value.kind, text in refused.value.text) == (kind, True), refused.value.text


@pytest.mark.parametrize("date", ["", "yesterday", "20261324T000000Z", "2026-11-24T00:00:00Z", "99999999T999999Z"])
def test_a_date_that_is_missing_or_none_is_incomplete(date: str) -> None:
    headers = [
        ("Host", "h"),
        ("X-Amz-Date", date),
        ("Authorization", f"{AUTHORIZATION}, SignedHeaders=host, Signature=0"),
    ]
    with pytest.raises(SignatureProblem) as refused:
        parse_authorization(SignedRequest.of("POST", "/", headers))
    assert refused.value.kind == "incomplete"


def test_the_date_header_counts_when_there_is_no_amz_date() -> None:
    authorization = f"{AUTHORIZATION}, SignedHeaders=host, Signature=0"
    headers = [("Host", "h"), ("Date", "Tue, 24 Nov 2026 04:00:00 GMT"), ("Authorization", authorization)]
    credential = credential_of(SignedRequest.of("POST", "/", headers))
    assert credential.timestamp == "20261124T040000Z"
    assert credential.signed_at == datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("name", ["Credential", "Date", "Expires", "SignedHeaders", "Algorithm"])
def test_a_presigned_query_that_lacks_a_part_is_incomplete(name: str) -> None:
    request = signed_by_botocore(S3SigV4QueryAuth, "s3", method="GET", body=b"")
    pieces = [piece for piece in request.raw_query.split("&") if not piece.startswith(f"X-Amz-{name}=")]
    with pytest.raises(SignatureProblem) as refused:
        parse_authorization(SignedRequest.of("GET", f"/?{'&'.join(pieces)}", [("Host", "localhost:8470")]))
    assert refused.value.kind == "incomplete"
    assert f"X-Amz-{name}" in refused.value.text


@pytest.mark.parametrize("expires", ["604801", "-1", "x", "１"])
def test_a_presigned_life_time_is_a_number_of_at_most_a_week(expires: str) -> None:
    request = signed_by_botocore(S3SigV4QueryAuth, "s3", method="GET", body=b"")
    query = request.raw_query.replace("X-Amz-Expires=3600", f"X-Amz-Expires={expires}")
    with pytest.raises(SignatureProblem, match="X-Amz-Expires"):
        parse_authorization(SignedRequest.of("GET", f"/?{query}", [("Host", "localhost:8470")]))


def test_two_signatures_are_one_too_many() -> None:
    presigned = signed_by_botocore(S3SigV4QueryAuth, "s3", method="GET", body=b"")
    both = [("Host", "localhost:8470"), ("Authorization", f"{AUTHORIZATION}, SignedHeaders=host, Signature=0")]
    with pytest.raises(SignatureProblem) as refused:
        parse_authorization(SignedRequest.of("GET", f"/?{presigned.raw_query}", both))
    assert (refused.value.kind, refused.value.text[:30]) == ("twofold", "Only one auth mechanism allowe")


@pytest.mark.parametrize("name", ["Signature", "Credential", "SignedHeaders"])
def test_a_part_that_is_given_twice_is_refused(name: str) -> None:
    header = f"{AUTHORIZATION}, SignedHeaders=host, Signature=0, {name}=1"
    headers = [("Host", "h"), ("X-Amz-Date", "20261124T000000Z"), ("Authorization", header)]
    with pytest.raises(SignatureProblem, match=f"'{name}' is given twice"):
        parse_authorization(SignedRequest.of("POST", "/", headers))
    presigned = signed_by_botocore(S3SigV4QueryAuth, "s3", method="GET", body=b"")
    with pytest.raises(SignatureProblem, match="is given twice"):
        parse_authorization(SignedRequest.of("GET", f"/?{presigned.raw_query}&X-Amz-{name}=1", [("Host", "h")]))


def test_no_signature_at_all_is_none() -> None:
    assert parse_authorization(SignedRequest.of("GET", "/b/k?versionId=1", [("Host", "h")])) is None
    version_2 = "/b/k?AWSAccessKeyId=AK&Signature=x%3D&Expires=1"
    assert parse_authorization(SignedRequest.of("GET", version_2, [("Host", "h")])) is None
    assert claimed_service(SignedRequest.of("GET", version_2, [("Host", "h")])) is None


def test_what_must_be_signed_is_signed() -> None:
    for signer, service in ((SigV4Auth, "sagemaker"), (S3SigV4Auth, "s3")):
        request = signed_by_botocore(signer, service)
        for left_out in ("host", "x-amz-target", "x-amz-date"):
            fewer = changed(request, authorization=request.headers["authorization"].replace(f"{left_out}", "accept"))
            assert refusal(fewer).kind == "not_signed"
    s3 = signed_by_botocore(S3SigV4Auth, "s3")
    assert refusal(changed(s3, x_amz_meta_added="1")).text == (
        "'x-amz-meta-added' must be a 'SignedHeader' in the AWS Authorization."
    )


def test_the_scope_must_be_this_service_in_this_region() -> None:
    credential = credential_of(signed_by_botocore(SigV4Auth, "sagemaker"))
    check_scope(credential, region="us-east-1", services=("sagemaker",))
    with pytest.raises(SignatureProblem, match="Credential should be scoped to a valid Region, not 'us-east-1'"):
        check_scope(credential, region="eu-west-1", services=("sagemaker",))
    with pytest.raises(SignatureProblem, match="Credential should be scoped to correct service: 'logs', not 'sagem"):
        check_scope(credential, region="us-east-1", services=("logs",))


@given(authorization=st.text(max_size=200), date=st.text(max_size=30), query=st.text(max_size=100))
def test_noise_is_refused_without_a_crash(authorization: str, date: str, query: str) -> None:
    for header in (authorization, f"AWS4-HMAC-SHA256 {authorization}", f"{AUTHORIZATION}, {authorization}"):
        headers = [("Host", "h"), ("X-Amz-Date", date), ("Authorization", header)]
        request = SignedRequest.of("GET", f"/?X-Amz-Signature=1&{query}", headers)
        claimed_service(request)
        try:
            credential = parse_authorization(request)
        except SignatureProblem:
            continue
        assert credential is not None
        with pytest.raises(SignatureProblem):
            verify(request, credential, SECRET, now=0.0)


@pytest.mark.parametrize("service", ["s3", "sagemaker"])
def test_bytes_that_are_no_utf_8_are_signed_by_nobody(service: str) -> None:
    """A request line may hold any: they come as surrogates."""
    authorization = f"AWS4-HMAC-SHA256 Credential=K/20150830/us-east-1/{service}/aws4_request, SignedHeaders=host, "
    headers = {"Authorization": authorization + "Signature=00", "Host": "x", "X-Amz-Date": "20150830T123600Z"}
    target = b"/a\xff%ff?b\xfe=%fe".decode("utf-8", "surrogateescape")
    request = SignedRequest.of("GET", target, headers.items(), "0" * 64)
    credential = credential_of(request)
    with pytest.raises(SignatureProblem) as refused:
        verify(request, credential, SECRET, now=credential.signed_at, payload="0" * 64)
    assert refused.value.kind in ("mismatch", "not_signed")
