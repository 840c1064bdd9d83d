"""The parsers of what clients send, without a connection: signatures, bodies, names, tokens."""

import json
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import cbor2

from sagestone.agent.lines import LineSplitter, shown
from sagestone.containers.images.name import canonical_tag, read_image_name
from sagestone.domain.container_credentials import credentials_path, job_of_path
from sagestone.domain.metric_regex import regex_objection
from sagestone.domain.policy import BadPolicy, read_policy
from sagestone.inference.answer import AnswerReader, CallBroken
from sagestone.inference.spool import Spool
from sagestone.inference.timed_socket import TimedSocket
from sagestone.kms.ciphertext import read_ciphertext
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.uri import S3Uri
from sagestone.s3_server.chunked import ChunkedDecoder
from sagestone.s3_server.ranges import read_range
from sagestone.s3_server.xml_reader import read_document
from sagestone.shapes.service_model import load_service_model
from sagestone.shapes.violation import WrongType
from sagestone.store.interface import BadToken as BadListToken
from sagestone.store.interface import ListQuery
from sagestone.store.tokens import make_token, read_token
from sagestone.wire.call import Caller
from sagestone.wire.cbor import BadCbor, read_cbor
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.errors import SerializationException, ValidationException
from sagestone.wire.query import read_form, read_parameters
from sagestone.wire.read import CallReader
from sagestone.wire.session_tokens import BadToken, issue_session, open_session
from sagestone.wire.signature import SignatureProblem, SignedRequest, parse_authorization, verify
from tests.fuzz.mutate import cut
from tests.fuzz.parser import Parser

_ACCOUNT = "123456789012"
_BOOK = CredentialBook([Credentials(access_key="AKIA", secret_key="secret", account=_ACCOUNT)])
_SESSION = issue_session(_BOOK, f"arn:aws:sts::{_ACCOUNT}:assumed-role/r/s", 4e9)
_QUERY = ListQuery()
_STS = load_service_model("sts")
_READER = CallReader([load_service_model("sagemaker")])
_PAYLOADS = Path(__file__).parents[1] / "golden" / "payloads"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _authorization(random: Random, data: bytes) -> None:
    head, _, target = _text(data).partition("\n")
    headers = [("Authorization", head), ("X-Amz-Date", random.choice(_DATES)), ("Host", "x")]
    request = SignedRequest.of("GET", target or "/", headers[random.random() < 0.3 :], "0" * 64)
    credential = parse_authorization(request)
    if credential is not None:
        verify(request, credential, "secret", now=1440938160.0)


def _session(random: Random, data: bytes) -> None:
    opened = open_session(_BOOK, _SESSION.credentials.access_key, _text(data), 1.0)
    # base64 writes the same bytes in several ways; the secret key is made from the text, so that these are no keys
    assert (opened.arn, opened.expires_at) == (_SESSION.arn, _SESSION.expires_at), "another token opens a session"


def _list_token(random: Random, data: bytes) -> None:
    assert read_token(b"key", "models", _QUERY, _text(data)) == ["a", 1.5], "another token is taken"


def _job_path(random: Random, data: bytes) -> None:
    found = job_of_path("key", _text(data))
    assert found in (None, ("training/a", 1.5, "")), "another path is taken"


def _form(random: Random, data: bytes) -> None:
    operation = _STS.operations[random.choice(("AssumeRole", "GetCallerIdentity"))]
    read_parameters(_STS, operation, read_form(data))


def _body(random: Random, data: bytes) -> None:
    caller = Caller(access_key="AKIA", account=_ACCOUNT, region="us-east-1")
    operation = random.choice(("CreateAlgorithm", "CreateAlgorithm", "CreateTrainingJob", "ListAlgorithms"))
    _READER.read(service="sagemaker", operation=operation, body=data, caller=caller, request_id="1")


def _xml(random: Random, data: bytes) -> None:
    read_document(data, random.choice(("Delete", "CompleteMultipartUpload"))).check_children({"Object", "Part"})


def _chunked(random: Random, data: bytes) -> None:
    decoder = ChunkedDecoder(signed=random.random() < 0.3, seed=None)
    for piece in cut(random, data):
        for _ in decoder.feed(piece):
            pass
    decoder.finish()


def _range(random: Random, data: bytes) -> None:
    size = random.choice((0, 1, 1000, 2**40))
    found = read_range(_text(data), size)
    assert found is None or 0 <= found[0] < found[1] <= size, f"{found} is no range of {size} bytes"


def _answer(random: Random, data: bytes) -> None:
    """What a serving container may say; then it closes the connection."""
    ours, theirs = socket.socketpair()
    body = Spool(Path(tempfile.gettempdir()), 1 << 20)
    with ours, theirs:
        theirs.settimeout(0)
        theirs.send(data[:100_000])
        theirs.close()
        timed = TimedSocket(ours)
        timed.deadline = time.monotonic() + 30
        reader = AnswerReader(timed)
        try:
            for _ in range(2):
                reader.body(reader.head(), body, 50_000)
                assert body.size <= 50_000, "more is kept than may be"
        finally:
            reader.close()
            body.close()


def _lines(random: Random, data: bytes) -> None:
    splitter = LineSplitter(longest=random.choice((10, 64, 65536)))
    found = [line for piece in cut(random, data) for line in splitter.feed(piece)]
    for line in [*found, *splitter.finish()]:
        assert "\n" not in shown(line), "a line of the log has a newline"


def _image_name(random: Random, data: bytes) -> None:
    read_image_name(_text(data))
    canonical_tag(_text(data))


def _policy(random: Random, data: bytes) -> None:
    policy = read_policy("name", json.loads(data.decode()))
    policy.says("Allow", "sagemaker:CreateModel", "arn:aws:sagemaker:us-east-1:1:model/" + "a" * 50)


_DATES = ["20150830T123600Z", "20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT", "20150230T993600Z", "", "0" * 400]
_SIGNED = (
    b"AWS4-HMAC-SHA256 Credential=AKIA/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
    b"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\n/a%20b?x=1&y"
)
_PRESIGNED = (
    b"\n/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20150830%2Fus-east-1%2Fs3%2Faws4_request"
    b"&X-Amz-Date=20150830T123600Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
)
_CHUNKS = [
    b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n0;chunk-signature=" + b"1" * 64 + b"\r\n\r\n",
]
_BODIES = [path.read_bytes() for path in sorted(_PAYLOADS.glob("create-*.json"))]
_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/csv\r\n\r\nhelloHTTP/1.0 500 no\r\n\r\nrest",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 204 None\nConnection: close\n\n",
]
_XML = [
    b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object></Delete>",
    b"<CompleteMultipartUpload>"
    b"<Part><PartNumber>1</PartNumber><ETag>&quot;e&quot;</ETag></Part></CompleteMultipartUpload>",
    b"<a>" * 100,
]
_FORMS = [
    b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws&RoleSessionName=s&DurationSeconds=900",
    b"Tags.member.1.Key=a&Tags.member.1.Value=b&PolicyArns.member.1.arn=x&TransitiveTagKeys.member.99999=k",
]
_CBOR = [
    cbor2.dumps({"A": [1, -2.5, None, True, b"x", "é"], "B": {"C": datetime(2026, 1, 1, tzinfo=UTC)}, "D": 2**70}),
    cbor2.dumps([["a"] * 9, {"": float("nan")}], value_sharing=True),
]
_POLICIES = [
    b'{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": ["sagemaker:*"], '
    b'"Resource": "arn:aws:sagemaker:*:*:*a*a*a*a*b"}]}'
]

WIRE_PARSERS = (
    Parser(
        name="authorization",
        seeds=[_SIGNED, _PRESIGNED],
        words=[b"/", b",", b"=", b"&", b"Signature=", b"%2F"],
        read=_authorization,
        refuses=(SignatureProblem,),
    ),
    Parser(name="session-token", seeds=[_SESSION.token.encode()], read=_session, refuses=(BadToken,)),
    Parser(
        name="list-token",
        seeds=[make_token(b"key", "models", _QUERY, ["a", 1.5]).encode()],
        read=_list_token,
        refuses=(BadListToken,),
    ),
    Parser(name="job-path", seeds=[credentials_path("key", "training/a", 1.5).encode()], read=_job_path, refuses=()),
    Parser(
        name="query-form",
        seeds=_FORMS,
        words=[b"&", b"=", b".member.", b"99999", b"%ff"],
        read=_form,
        refuses=(WrongType,),
    ),
    Parser(
        name="json-body",
        seeds=_BODIES,
        words=[b"[", b"{", b'":', b"null", b"1e400", b'"Tags":', b"\\ud800"],
        read=_body,
        refuses=(SerializationException, ValidationException),
        weight=0.5,
    ),
    Parser(
        name="cbor",
        seeds=_CBOR,
        words=[b"\xc1\xf9\x7e\x00", b"\xd8\x1c", b"\xd8\x1d\x00", b"\x9f", b"\xff", b"\xc2\x49", b"\x81" * 900],
        read=lambda random, data: read_cbor(data),
        refuses=(BadCbor,),
    ),
    Parser(
        name="s3-xml",
        seeds=_XML,
        words=[
            b"<",
            b"/>",
            b"<!DOCTYPE a>",
            b"&#0;",
            b"&#x110000;",
            b"xmlns:a=",
            b'<?xml version="1.0" encoding="utf-16"?>',
            b"]]>",
        ],
        read=_xml,
        refuses=(Refusal,),
    ),
    Parser(
        name="aws-chunked",
        seeds=_CHUNKS,
        words=[b"\r\n", b"0\r\n", b"ffffffffffffffff", b";"],
        read=_chunked,
        refuses=(Refusal,),
    ),
    Parser(
        name="range",
        seeds=[b"bytes=0-1", b"bytes=-5", b"bytes=7-"],
        words=[b"-", b"=", b",", b"9" * 18],
        read=_range,
        refuses=(Refusal,),
    ),
    Parser(
        name="container-answer",
        seeds=_ANSWERS,
        words=[b"\r\n", b"\n\n", b"Content-Length: ", b"chunked", b"HTTP/1.1 "],
        read=_answer,
        refuses=(CallBroken,),
    ),
    Parser(
        name="log-lines",
        seeds=[b"a\r\nb\n\n\xe2\x82", "é\u2028€\n".encode() * 9, b"x" * 70_000],
        read=_lines,
        refuses=(),
    ),
    Parser(
        name="image-name",
        seeds=[b"a/b:1", b"localhost:5000/a@sha256:" + b"0" * 64, b"docker.io/library/a"],
        words=[b"@", b":", b"/", b"sha256:"],
        read=_image_name,
        refuses=(),
    ),
    Parser(
        name="s3-uri",
        seeds=[b"s3://bucket/key", b"https://b.s3.us-east-1.amazonaws.com/k", b"https://[::1]/b/k"],
        words=[b"[", b"]", b"://", b"@", b"%"],
        read=lambda random, data: S3Uri.parse(_text(data)),
        refuses=(ValueError,),
    ),
    Parser(
        name="kms-ciphertext",
        seeds=[b"\x01sk" + bytes(60)],
        read=lambda random, data: read_ciphertext(data),
        refuses=(),
    ),
    Parser(
        name="policy",
        seeds=_POLICIES,
        words=[b"*", b"?", b'"NotAction":', b"[]", b"{}", b"null"],
        read=_policy,
        refuses=(BadPolicy, ValueError, RecursionError),
    ),
    Parser(
        name="metric-regex",
        seeds=[b"loss=([0-9.]+)", b"(a{1,3}){2}(?P<n>x)|\\bq", b"[a-z&&[^b]]+(.)"],
        weight=0.2,
        words=[b"(", b")", b"{99}", b"(?i)", b"[", b"]", b"\\p{L}", b"(?<=", b"+*", b"|"],
        read=lambda random, data: regex_objection(data.decode("utf-8", "replace")[:500]),
        refuses=(),
    ),
)
