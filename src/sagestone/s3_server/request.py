"""An S3 request as it came: which bucket and key, which parameters, which headers."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from aiohttp import web

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.uri import LONGEST_KEY_BYTES
from sagestone.wire.signed_request import SignedRequest

#: Parameters of a pre-signed URL that say nothing of the body: whoever made it had none (the JavaScript SDK puts the
#: CRC32 of an empty body into every URL for a PUT). S3 passes them over.
_NO_CLAIM = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """A request read but for its body. `headers` have lower-case names; a presigned URL's `x-amz-…` parameters that
    stand for headers are among them. `parameters` are the decoded query without those and without the signature."""

    id: str
    http: web.BaseRequest
    signed: SignedRequest
    bucket: str
    key: str
    virtual_host: bool
    headers: dict[str, str]
    parameters: dict[str, str]
    query: dict[str, str] = field(repr=False)

    @property
    def method(self) -> str:
        return self.signed.method

    @property
    def resource(self) -> str:
        """What error documents name."""
        return f"/{self.bucket}/{self.key}" if self.key else f"/{self.bucket}"

    @property
    def has_body(self) -> bool:
        return self.http.body_exists


def read_request(http: web.BaseRequest, request_id: str, hosts: tuple[str, ...]) -> S3Request:
    """Read request line and headers; raises Refusal for a path or query that cannot be read.

    `hosts` are the names that the service itself goes by; `<bucket>.<name>` is a bucket's own name.
    """
    signed = SignedRequest.of(http.method, _target(http.raw_path), http.headers.items())
    query = _query(signed.raw_query)
    named_by_host = bucket_of_host(signed.headers.get("host", ""), hosts)
    bucket, raw_key = named_by_host, signed.raw_path.removeprefix("/")
    if not bucket:
        first, _, raw_key = raw_key.partition("/")
        bucket = _text(first)
    headers = dict(signed.headers)
    parameters: dict[str, str] = {}
    for name, value in query.items():
        lower = name.lower()
        if lower in SIGNATURE_PARAMETERS:
            continue
        if lower.startswith(_NO_CLAIM) and "Signature" not in query:  # version 2 signs them as headers
            continue
        if lower.startswith("x-amz-") or (lower in ("content-type", "content-md5") and "Signature" in query):
            check_header(lower, value)
            headers.setdefault(lower, value)
        elif not lower.startswith("x-"):  # custom parameters, which S3 only logs
            parameters[name] = value
    return S3Request(
        id=request_id,
        http=http,
        signed=signed,
        bucket=bucket,
        key=_text(raw_key),
        virtual_host=bool(named_by_host),
        headers=headers,
        parameters=parameters,
        query=query,
    )


def bucket_of_host(host: str, names: tuple[str, ...]) -> str:
    """The bucket that a Host header names (`bucket.localhost:8470`, `bucket.s3.localhost`); "" when it names none."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.lower().rstrip(".")
    for own in names:
        if name.endswith(f".{own}"):
            bucket = name.removesuffix(f".{own}").removesuffix(".s3")
            return "" if bucket == "s3" else bucket
    return ""


def check_key(key: str) -> None:
    """Refuse a key that is too long."""
    length = len(key.encode())
    if length > LONGEST_KEY_BYTES:
        raise Refusal(
            "KeyTooLongError",
            "Your key is too long",
            Size=str(length),
            MaxSizeAllowed=str(LONGEST_KEY_BYTES),
        )


def check_header(name: str, value: str) -> None:
    """Refuse what stands in a query and cannot be a header: it would be one, of this request or of an answer."""
    if not _HEADER_NAME.fullmatch(name) or _CONTROL.search(value):
        raise Refusal(
            "InvalidArgument",
            f"The query parameter {name[:100]!r} stands for a header, and its name or value holds what no header may.",
        )


def _target(path: str) -> str:
    """The request target; its absolute form (`http://host/path`), which proxies send, without scheme and host."""
    if path.startswith(("http://", "https://")):
        rest = path.partition("://")[2]
        return "/" + rest.partition("/")[2]
    return path


def _query(raw: str) -> dict[str, str]:
    """The decoded query; S3 never repeats a name."""
    found: dict[str, str] = {}
    for piece in raw.split("&"):
        name, _, value = piece.partition("=")
        if piece:
            decoded = _text(name.replace("+", " "))
            if decoded in found:
                raise Refusal("InvalidArgument", f"The query parameter {decoded[:100]} is given twice.")
            found[decoded] = _text(value.replace("+", " "))
    return found


def _text(raw: str) -> str:
    try:
        return unquote_to_bytes(raw.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError as error:
        raise Refusal("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8.", URI=raw[:200]) from error


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

SIGNATURE_PARAMETERS = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "awsaccesskeyid",
        "signature",
        "expires",
        "x-id",
    }
)
