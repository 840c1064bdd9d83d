"""A request as signature version 4 sees it, and the canonical text that is signed."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_UNRESERVED = "-_.~"


class SignedRequest(Struct, frozen=True, kw_only=True):
    """What a signature covers. `raw_path` and `raw_query` are as on the request line; header names are lower case,
    the values of a repeated header are joined by a comma (as they are signed); `body_hash` is the hex SHA-256 of the
    body, or None where it is not known yet (an S3 body that is read later)."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body_hash: str | None = None

    @classmethod
    def of(
        cls, method: str, target: str, headers: Iterable[tuple[str, str]], body_hash: str | None = None
    ) -> "SignedRequest":
        """From the request line's target (`/path?query`) and the header pairs in their order."""
        path, _, query = target.partition("?")
        joined: dict[str, str] = {}
        for name, value in headers:
            lower, value = name.lower(), value.strip()
            joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
        return cls(method=method, raw_path=path or "/", raw_query=query, headers=joined, body_hash=body_hash)

    def with_body(self, body: bytes) -> "SignedRequest":
        """The same request with its body's hash known."""
        return SignedRequest(
            method=self.method,
            raw_path=self.raw_path,
            raw_query=self.raw_query,
            headers=self.headers,
            body_hash=hashlib.sha256(body).hexdigest(),
        )


def canonical_request(
    request: SignedRequest,
    *,
    path: str,
    query: str,
    signed_headers: tuple[str, ...],
    payload_hash: str,
) -> str:
    """The text whose hash is signed; a signed header that is absent counts as empty, so the signature cannot fit."""
    headers = request.headers
    lines = [request.method, path, query]
    for name in signed_headers:
        value = headers.get(name, "").strip()
        lines.append(f"{name}:{_SPACES.sub(' ', value) if '  ' in value else value}")
    lines += ["", ";".join(signed_headers), payload_hash]
    return "\n".join(lines)


def path_as_sent(raw_path: str) -> str:
    """The path of an S3 request: every character as it came."""
    return raw_path


def path_encoded_again(raw_path: str) -> str:
    """The path of all other services: dot segments and empty segments removed, then encoded a second time."""
    if raw_path == "/":
        return raw_path
    return quote(_without_dot_segments(raw_path).encode("utf-8", "surrogateescape"), safe="/" + _UNRESERVED)


def path_encoded_anew(raw_path: str) -> str:
    """The path decoded and encoded in the one canonical way, for clients that send fewer escapes than they sign."""
    return quote(_decode(raw_path), safe="/" + _UNRESERVED)


def query_as_sent(raw_query: str, *, without: str = "") -> str:
    """The query's parameters sorted by name, then value, with the escapes that came; `without` is left out."""
    if not raw_query:
        return ""
    pairs = sorted(_pairs(raw_query, without))
    return "&".join(f"{name}={value}" for name, value in pairs)


def query_encoded_anew(raw_query: str, *, without: str = "") -> str:
    """Likewise, with every name and value decoded (`+` is a space) and encoded in the one canonical way."""
    pairs = sorted((_encode_anew(name), _encode_anew(value)) for name, value in _pairs(raw_query, without))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _pairs(raw_query: str, without: str) -> list[tuple[str, str]]:
    found = []
    for piece in raw_query.split("&"):
        name, _, value = piece.partition("=")
        if piece and name != without:
            found.append((name, value))
    return found


def _encode_anew(text: str) -> str:
    return quote(_decode(text.replace("+", " ")), safe=_UNRESERVED)


def _decode(text: str) -> bytes:
    """A request line may hold any bytes: what is no UTF-8 came as surrogates."""
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    closing = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return "/" + "/".join(kept) + closing


_SPACES = re.compile(" {2,}")
