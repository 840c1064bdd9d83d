"""Signatures of version 4 made as a client makes them, quickly; the code under test takes no part."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Whose signature it is."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Headers with the signature among them, and what signatures of chunks go on from."""

    headers: dict[str, str]
    key: bytes
    scope: str
    signature: str


def sign(
    keys: Keys, service: str, method: str, path: str, query: str, headers: Mapping[str, str], payload: str
) -> Signed:
    """`path` and `query` are as they are sent; `payload` is a hash, or one of S3's words."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{stamp[:8]}/{REGION}/{service}/aws4_request"
    every = {**headers, "x-amz-date": stamp}
    if service == "s3":
        every["x-amz-content-sha256"] = payload
    lower = sorted((name.lower(), " ".join(value.split())) for name, value in every.items())
    names = ";".join(name for name, _ in lower)
    lines = "".join(f"{name}:{value}\n" for name, value in lower)
    sorted_query = "&".join("=".join(pair) for pair in sorted(_pairs(query)))
    signed_path = path if service == "s3" else quote(path, safe="/-_.~")
    canonical = f"{method}\n{signed_path}\n{sorted_query}\n{lines}\n{names}\n{payload}"
    key = _key(keys.secret_key, stamp[:8], service)
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode('utf-8', 'surrogateescape'))}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    every["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return Signed(headers=every, key=key, scope=scope, signature=signature)


def presigned(keys: Keys, method: str, path: str, query: str, host: str, expires: str = "600") -> str:
    """The query of a presigned S3 URL."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    parts = [
        *(piece for piece in query.split("&") if piece),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        f"X-Amz-Credential={quote(f'{keys.access_key}/{scope}', safe='')}",
        f"X-Amz-Date={stamp}",
        f"X-Amz-Expires={expires}",
        "X-Amz-SignedHeaders=host",
    ]
    whole = "&".join("=".join(pair) for pair in sorted(_pairs("&".join(parts))))
    canonical = f"{method}\n{path}\n{whole}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode('utf-8', 'surrogateescape'))}"
    signature = hmac.digest(_key(keys.secret_key, stamp[:8], "s3"), text.encode(), "sha256").hex()
    return "&".join((*parts, f"X-Amz-Signature={signature}"))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def signed_chunks(signed: Signed, pieces: list[bytes]) -> bytes:
    """An aws-chunked body whose chunks carry signatures."""
    previous, out, stamp = signed.signature, bytearray(), signed.headers["x-amz-date"]
    for piece in [*pieces, b""]:
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{signed.scope}\n{previous}\n{sha256(b'')}\n{sha256(piece)}"
        previous = hmac.digest(signed.key, text.encode(), "sha256").hex()
        out += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece + b"\r\n"
    return bytes(out)


def _key(secret: str, date: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, REGION, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _pairs(query: str) -> list[tuple[str, str]]:
    found = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if piece:
            found.append((name, value))
    return found
