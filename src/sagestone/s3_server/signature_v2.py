"""Signature version 2, which boto3 still makes for presigned URLs in two regions: header and query form."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.request import S3Request

#: The parameters that are signed; all others are not.
SIGNED_PARAMETERS = frozenset(
    (
        *("accelerate", "acl", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging"),
        *("metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore"),
        *("select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId"),
        *("versioning", "versions", "website", "response-cache-control", "response-content-disposition"),
        *("response-content-encoding", "response-content-language", "response-content-type", "response-expires"),
    )
)


def strings_to_sign(request: S3Request, expires: str = "") -> list[str]:
    """The texts that may have been signed; `expires` is that of a presigned URL.

    Of a bucket by itself some clients sign `/bucket`, as they send it, and some `/bucket/`.
    """
    slashes = [False, True] if not request.key and not request.signed.raw_path.endswith("/") else [False]
    return [_string_to_sign(request, expires, bucket_slash=slash) for slash in slashes]


def sign(secret: str, text: str) -> str:
    """The signature of a text."""
    return b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha1)).decode()


def signed_at(headers: Mapping[str, str]) -> float:
    """When a request with an Authorization header of version 2 was signed, epoch seconds."""
    text = headers.get("x-amz-date") or headers.get("date", "")
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        raise Refusal(
            "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header in RFC 822 form."
        ) from None


def _string_to_sign(request: S3Request, expires: str, *, bucket_slash: bool) -> str:
    headers = request.headers
    date = expires or ("" if "x-amz-date" in headers else headers.get("date", ""))
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    for name in sorted(headers):
        if name.startswith("x-amz-"):
            lines.append(f"{name}:{headers[name].strip()}")
    lines.append(_resource(request, bucket_slash))
    return "\n".join(lines)


def _resource(request: S3Request, bucket_slash: bool) -> str:
    path = request.signed.raw_path
    if request.virtual_host:
        path = f"/{request.bucket}{path}"
    if bucket_slash:
        path += "/"
    signed = []
    for piece in request.signed.raw_query.split("&"):
        name, equals, value = piece.partition("=")
        if name in SIGNED_PARAMETERS:
            signed.append((name, equals + unquote(value)))
    signed.sort(key=lambda pair: pair[0])
    return path + ("?" + "&".join(name + value for name, value in signed) if signed else "")
