"""Signature version 4, as a server checks it: header and presigned form, any service, and S3's signed chunks.

S3 signs the path as it is sent and the hash that `x-amz-content-sha256` claims; every other service signs the
normalised path, encoded a second time, and the hash of the body itself.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Collection
from functools import lru_cache

from msgspec import Struct

from sagestone.wire.authorization import (
    ALGORITHM,
    TERMINATOR,
    Credential,
    ProblemKind,
    SignatureProblem,
    claimed_service,
    parse_authorization,
    session_token,
)
from sagestone.wire.signed_request import (
    EMPTY_SHA256,
    UNSIGNED_PAYLOAD,
    SignedRequest,
    canonical_request,
    path_as_sent,
    path_encoded_again,
    path_encoded_anew,
    query_as_sent,
    query_encoded_anew,
)

__all__ = [
    "EMPTY_SHA256",
    "SKEW_SECONDS",
    "UNSIGNED_PAYLOAD",
    "Credential",
    "ProblemKind",
    "Seed",
    "SignatureProblem",
    "SignedRequest",
    "check_scope",
    "chunk_signature",
    "claimed_service",
    "parse_authorization",
    "payload_hash",
    "session_token",
    "signing_key",
    "trailer_signature",
    "verify",
]

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


#: How far a client's clock may differ from ours.
SKEW_SECONDS = 900.0


class Seed(Struct, frozen=True, kw_only=True):
    """What the signatures of S3's chunks go on from: the verified signature of the request's headers."""

    signing_key: bytes
    scope: str
    timestamp: str
    signature: str


def verify(
    request: SignedRequest,
    credential: Credential,
    secret: str,
    *,
    now: float,
    skew_seconds: float = SKEW_SECONDS,
    payload: str | None = None,
) -> Seed:
    """Accept the request's signature or raise SignatureProblem; the first problem in the order form, signature, time.

    `now` is epoch seconds; `skew_seconds` is how far the clocks may differ.
    `payload` overrides the payload hash that is signed; left out it is `payload_hash(request, credential)`. Where the
    body's hash is known, a hex hash that the client claims must be the body's. Whoever reads the body later (S3
    streams) has to compare that hash, or the chunks' signatures, itself.
    """
    _check_signed_headers(request, credential)
    claimed = payload_hash(request, credential) if payload is None else payload
    if request.body_hash is not None and len(claimed) == 64 and not hmac.compare_digest(claimed, request.body_hash):
        raise SignatureProblem(
            "content_hash", "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    key = signing_key(secret, credential.date, credential.region, credential.service)
    _check_signature(request, credential, key, claimed)
    _check_time(credential, now, skew_seconds)
    return Seed(signing_key=key, scope=credential.scope, timestamp=credential.timestamp, signature=credential.signature)


def check_scope(credential: Credential, *, region: str, services: Collection[str]) -> None:
    """Refuse a credential that is scoped to another region or service than this one's; raises SignatureProblem."""
    if credential.region != region:
        raise SignatureProblem(
            "scope",
            f"Credential should be scoped to a valid Region, not '{credential.region[:64]}'. "
            f"This service is in region '{region}'.",
        )
    if credential.service not in services:
        raise SignatureProblem(
            "scope",
            f"Credential should be scoped to correct service: '{', '.join(sorted(services))}', "
            f"not '{credential.service[:64]}'.",
        )


def payload_hash(request: SignedRequest, credential: Credential) -> str:
    """The payload hash that is signed: for S3 what `x-amz-content-sha256` says (a hash, UNSIGNED-PAYLOAD, STREAMING-…;
    UNSIGNED-PAYLOAD in a presigned URL without one), for other services always the body's. Raises SignatureProblem for
    an S3 header that is missing or none of these."""
    if credential.service == "s3":
        claimed = request.headers.get("x-amz-content-sha256", "").strip()
        if not claimed and credential.presigned:
            return UNSIGNED_PAYLOAD
        if not _PAYLOAD_HASH.fullmatch(claimed):
            raise SignatureProblem(
                "content_hash",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 "
                "value.",
            )
        return claimed
    return request.body_hash or EMPTY_SHA256


@lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service, derived from the secret key."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    return key


def chunk_signature(seed: Seed, previous: str, chunk_hash: str) -> str:
    """The signature of one chunk of STREAMING-AWS4-HMAC-SHA256-PAYLOAD: `previous` is the signature of the chunk
    before (`seed.signature` for the first), `chunk_hash` the hex SHA-256 of the chunk's data."""
    text = f"{ALGORITHM}-PAYLOAD\n{seed.timestamp}\n{seed.scope}\n{previous}\n{EMPTY_SHA256}\n{chunk_hash}"
    return hmac.new(seed.signing_key, text.encode(), "sha256").hexdigest()


def trailer_signature(seed: Seed, previous: str, trailer_hash: str) -> str:
    """The `x-amz-trailer-signature`: `trailer_hash` is the hex SHA-256 of the trailer, each line `name:value\\n`."""
    text = f"{ALGORITHM}-TRAILER\n{seed.timestamp}\n{seed.scope}\n{previous}\n{trailer_hash}"
    return hmac.new(seed.signing_key, text.encode(), "sha256").hexdigest()


def _check_signed_headers(request: SignedRequest, credential: Credential) -> None:
    """Host is always signed, and so is whatever tells the service what to do: every x-amz- header for S3, the target
    and the date for the others."""
    signed = credential.signed_headers
    if "host" not in signed:
        raise _not_signed("Host")
    if credential.service == "s3":
        for name in request.headers:
            if name.startswith("x-amz-") and name not in signed and not _may_be_unsigned(name, credential):
                raise _not_signed(name)
        return
    for name in ("x-amz-target", "x-amz-date", "x-amz-security-token"):
        if name in request.headers and name not in signed:
            raise _not_signed(name)


def _may_be_unsigned(name: str, credential: Credential) -> bool:
    return name == "x-amz-content-sha256" and credential.presigned


def _not_signed(name: str) -> SignatureProblem:
    return SignatureProblem("not_signed", f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _check_signature(request: SignedRequest, credential: Credential, key: bytes, payload: str) -> None:
    without = "X-Amz-Signature" if credential.presigned else ""
    path_in_use = path_as_sent if credential.service == "s3" else path_encoded_again
    canonical, to_sign = _texts(
        request, credential, path_in_use(request.raw_path), query_as_sent(request.raw_query, without=without), payload
    )
    if _fits(key, to_sign, credential.signature):
        return
    # Some clients escape more in what they sign than in what they send; AWS decodes and encodes anew.
    anew = path_encoded_anew(request.raw_path)
    path = anew if credential.service == "s3" else path_encoded_again(anew)
    _, second = _texts(request, credential, path, query_encoded_anew(request.raw_query, without=without), payload)
    if second != to_sign and _fits(key, second, credential.signature):
        return
    raise SignatureProblem(
        "mismatch", MISMATCH, canonical_request=canonical, string_to_sign=to_sign, signed_at=credential.signed_at
    )


def _texts(request: SignedRequest, credential: Credential, path: str, query: str, payload: str) -> tuple[str, str]:
    canonical = canonical_request(
        request, path=path, query=query, signed_headers=credential.signed_headers, payload_hash=payload
    )
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return canonical, f"{ALGORITHM}\n{credential.timestamp}\n{credential.scope}\n{digest}"


def _fits(key: bytes, to_sign: str, signature: str) -> bool:
    right = _keyed(key).copy()
    right.update(to_sign.encode("utf-8", "surrogateescape"))
    return hmac.compare_digest(right.hexdigest().encode(), signature.encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> hmac.HMAC:
    """To be copied: what a key adds to an HMAC is half the work of a signature, and keys stay for a day."""
    return hmac.new(key, digestmod="sha256")


def _check_time(credential: Credential, now: float, skew_seconds: float) -> None:
    signed_at, stamp, minutes = credential.signed_at, credential.timestamp, int(skew_seconds // 60)
    if signed_at > now + skew_seconds:
        raise SignatureProblem(
            "not_yet",
            f"Signature not yet current: {stamp} is still later than {_stamp(now + skew_seconds)} "
            f"({_stamp(now)} + {minutes} min.)",
            signed_at=signed_at,
        )
    if credential.expires is not None:
        if now > signed_at + credential.expires:
            raise SignatureProblem(
                "link_expired",
                f"Signature expired: {stamp} is now earlier than {_stamp(now - credential.expires)} "
                f"({_stamp(now)} - {credential.expires // 60} min.)",
                signed_at=signed_at,
            )
    elif signed_at < now - skew_seconds:
        raise SignatureProblem(
            "expired",
            f"Signature expired: {stamp} is now earlier than {_stamp(now - skew_seconds)} "
            f"({_stamp(now)} - {minutes} min.)",
            signed_at=signed_at,
        )


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


_PAYLOAD_HASH = re.compile(
    "[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?"
)
