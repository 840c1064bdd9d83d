"""The credential part of a request: what it says about who signed it, for what and when."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from sagestone.wire.signed_request import SignedRequest

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
LONGEST_PRESIGNED_SECONDS = 604800  # seven days

#: incomplete: a part is missing or malformed; scope: date, region, service or terminator do not fit; not_signed: a
#: header that must be signed is not; expired, not_yet: the clocks differ too much; link_expired: a presigned URL is
#: over; content_hash: x-amz-content-sha256 is not the body's; mismatch: the signature does not fit; twofold: a header
#: and the query both claim to sign.
ProblemKind = Literal[
    "incomplete", "scope", "not_signed", "expired", "not_yet", "link_expired", "content_hash", "mismatch", "twofold"
]


class SignatureProblem(Exception):
    """A signature that is refused. `text` is AWS's sentence for JSON services; S3 has its own codes by `kind`.

    `canonical_request` and `string_to_sign` are there for a mismatch, `signed_at` (epoch seconds) once it was read.
    """

    def __init__(
        self,
        kind: ProblemKind,
        text: str,
        *,
        canonical_request: str = "",
        string_to_sign: str = "",
        signed_at: float | None = None,
    ) -> None:
        super().__init__(text)
        self.kind: ProblemKind = kind
        self.text = text
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign
        self.signed_at = signed_at


class Credential(Struct, frozen=True, kw_only=True):
    """A parsed Authorization header or presigned query. `timestamp` is `yyyymmddThhmmssZ`; `expires` are the seconds
    of a presigned URL, None in header form."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    signed_at: float
    presigned: bool = False
    expires: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def parse_authorization(request: SignedRequest) -> Credential | None:
    """The credential of a signature version 4 request; None when there is none at all (no Authorization header and no
    X-Amz-Signature or X-Amz-Credential in the query); raises SignatureProblem for one that is malformed.

    An Authorization header of another scheme (`AWS …`, the old version 2) is `incomplete`; a version 2 presigned URL
    has no part of version 4 and gives None.
    """
    header = request.headers.get("authorization")
    parameters = _signing_parameters(request.raw_query) if "X-Amz-" in request.raw_query else {}
    presigned = "X-Amz-Signature" in parameters or "X-Amz-Credential" in parameters
    if header is not None:
        if presigned or "X-Amz-Algorithm" in parameters:
            raise SignatureProblem(
                "twofold",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                "parameter or the Authorization header should be specified",
            )
        return _from_header(request, header.strip())
    return _from_query(parameters) if presigned else None


def session_token(request: SignedRequest, credential: Credential) -> str | None:
    """The session token that comes with a signature; None without one."""
    if credential.presigned and "X-Amz-Security-Token" in request.raw_query:
        return _signing_parameters(request.raw_query).get("X-Amz-Security-Token")
    return request.headers.get("x-amz-security-token")


def claimed_service(request: SignedRequest) -> str | None:
    """The service named in the credential scope, for routing before anything is verified; None without one."""
    header = request.headers.get("authorization")
    place = header if header is not None else unquote(request.raw_query) if "X-Amz-Cred" in request.raw_query else ""
    found = _SCOPE.search(place)
    return found.group(1) if found else None


def _from_header(request: SignedRequest, header: str) -> Credential:
    timestamp = (request.headers.get("x-amz-date") or request.headers.get("date") or "").strip()
    usual = _USUAL_HEADER.fullmatch(header)
    if usual and timestamp:
        return _credential(usual[1], usual[2], usual[3], timestamp, None)
    scheme, _, rest = header.partition(" ")
    if scheme != ALGORITHM:
        raise SignatureProblem(
            "incomplete",
            f"Unsupported AWS 'algorithm': '{scheme[:64]}'; sign with '{ALGORITHM}' (signature version 4).",
        )
    parts = _header_parts(header, rest)
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if not timestamp:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise SignatureProblem("incomplete", f"{' '.join(missing)} Authorization={header[:1024]}")
    return _credential(parts["Credential"], parts["SignedHeaders"], parts["Signature"], timestamp, None)


def _header_parts(header: str, rest: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in rest.split(","):
        name, equal_sign, value = piece.strip().partition("=")
        if not equal_sign:
            raise SignatureProblem(
                "incomplete",
                f"'{name[:256]}' not a valid key=value pair (missing equal-sign) in Authorization header: "
                f"'{header[:1024]}'.",
            )
        if name in parts:
            raise SignatureProblem(
                "incomplete", f"'{name[:256]}' is given twice in Authorization header: '{header[:1024]}'."
            )
        parts[name] = value
    return parts


def _from_query(parameters: dict[str, str]) -> Credential:
    if parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise SignatureProblem("incomplete", f'X-Amz-Algorithm only supports "{ALGORITHM}".')
    names = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires")
    missing = [f"AWS query-string parameters must include '{name}'." for name in names if not parameters.get(name)]
    if missing:
        raise SignatureProblem("incomplete", f"{' '.join(missing)} Re-examine the query-string parameters.")
    expires = parameters["X-Amz-Expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 9):
        raise SignatureProblem("incomplete", "X-Amz-Expires should be a number, zero or more.")
    if int(expires) > LONGEST_PRESIGNED_SECONDS:
        raise SignatureProblem(
            "incomplete", f"X-Amz-Expires must be less than a week (in seconds) that is {LONGEST_PRESIGNED_SECONDS}."
        )
    return _credential(
        parameters["X-Amz-Credential"],
        parameters["X-Amz-SignedHeaders"],
        parameters["X-Amz-Signature"],
        parameters["X-Amz-Date"],
        int(expires),
    )


def _credential(
    credential: str, signed_headers: str, signature: str, timestamp: str, expires: int | None
) -> Credential:
    access_key, date, region, service = _read_scope(credential)
    stamp, signed_at = _read_time(timestamp)
    if stamp[:8] != date:
        raise SignatureProblem(
            "scope",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date[:64]}' != '{stamp[:8]}', from '{stamp}'.",
            signed_at=signed_at,
        )
    return Credential(
        access_key=access_key,
        date=date,
        region=region,
        service=service,
        signed_headers=_read_names(signed_headers),
        signature=signature,
        timestamp=stamp,
        signed_at=signed_at,
        presigned=expires is not None,
        expires=expires,
    )


@lru_cache(maxsize=64)  # a client's stays the same for a day, as do the headers that it signs
def _read_scope(credential: str) -> tuple[str, str, str, str]:
    """Access key, date, region and service."""
    pieces = credential.split("/")
    if len(pieces) < 5:
        raise SignatureProblem(
            "incomplete",
            "Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential[:256]}'.",
        )
    date, region, service, terminator = pieces[-4:]
    if terminator != TERMINATOR:
        raise SignatureProblem(
            "scope", f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator[:64]}'."
        )
    return "/".join(pieces[:-4]), date, region, service


@lru_cache(maxsize=64)
def _read_names(signed_headers: str) -> tuple[str, ...]:
    return tuple(signed_headers.split(";"))


@lru_cache(maxsize=64)
def _read_time(text: str) -> tuple[str, float]:
    """`yyyymmddThhmmssZ` and epoch seconds of an X-Amz-Date or a Date header."""
    try:
        if _BASIC_TIME.fullmatch(text):
            year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
            hour, minute, second = int(text[9:11]), int(text[11:13]), int(text[13:15])
            # strptime takes eight times as long
            return text, datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
        when = parsedate_to_datetime(text).astimezone(UTC)
        return when.strftime("%Y%m%dT%H%M%SZ"), when.timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        raise SignatureProblem(
            "incomplete",
            f"Date must be in ISO-8601 'basic format'. Got '{text[:64]}'. See http://en.wikipedia.org/wiki/ISO_8601",
        ) from None


def _signing_parameters(raw_query: str) -> dict[str, str]:
    """The X-Amz-… parameters of a query; raises SignatureProblem for one that is given twice."""
    found: dict[str, str] = {}
    for piece in raw_query.split("&"):
        raw_name, _, value = piece.partition("=")
        name = unquote(raw_name)
        if not name.startswith("X-Amz-"):
            continue
        if name in found:
            raise SignatureProblem("incomplete", f"The query-string parameter '{name[:64]}' is given twice.")
        found[name] = unquote(value)
    return found


_USUAL_HEADER = re.compile(
    rf"{ALGORITHM} Credential=([^,=\s]+), ?SignedHeaders=([^,=\s]+), ?Signature=([^,=\s]+)", re.ASCII
)
_BASIC_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SCOPE = re.compile(r"Credential=[^,&\s]{0,512}/[0-9]{8}/[^/,&\s]{0,128}/([^/,&\s]{1,64})/aws4_request")
