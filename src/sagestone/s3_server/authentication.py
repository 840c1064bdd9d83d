"""Who signed a request, and whether the signature holds: versions 4 and 2, in headers or in a presigned URL."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sagestone.domain.principal import Principal
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server import signature_v2
from sagestone.s3_server.request import S3Request
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.session_tokens import BadToken, open_session
from sagestone.wire.signature import (
    SKEW_SECONDS,
    Credential,
    Seed,
    SignatureProblem,
    parse_authorization,
    payload_hash,
    verify,
)

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed, and what that says about the body: `payload` is the value of x-amz-content-sha256 that was signed
    ("" when nothing is said), `seed` what chunk signatures go on from."""

    access_key: str
    payload: str = ""
    seed: Seed | None = None
    principal: Principal | None = None

    @property
    def account(self) -> str:
        """The signer's account; "" without authentication."""
        return self.principal.account if self.principal is not None else ""

    @property
    def name(self) -> str:
        """For the log: `user/NAME` or `role/NAME/SESSION`; "" without authentication."""
        return str(self.principal or "")


class Authentication:
    """Checks requests against the keys of a book; without a book everybody may do everything."""

    def __init__(self, book: CredentialBook | None, clock: Callable[[], float]) -> None:
        self._book = book
        self._clock = clock

    def check(self, request: S3Request) -> Signer:
        """Who signed the request; raises Refusal with S3's code."""
        if self._book is None:
            return Signer(access_key="", payload=request.headers.get("x-amz-content-sha256", ""))
        if request.headers.get("authorization", "").startswith("AWS "):
            return self._check_v2_header(request, self._book)
        try:
            credential = parse_authorization(request.signed)
        except SignatureProblem as problem:
            raise self._refusal(problem, request, None) from problem
        if credential is not None:
            return self._check_v4(request, credential, self._book)
        if "AWSAccessKeyId" in request.query and "Signature" in request.query:
            return self._check_v2_query(request, self._book)
        raise Refusal("AccessDenied", "Access Denied: the request is not signed.")

    def _check_v4(self, request: S3Request, credential: Credential, book: CredentialBook) -> Signer:
        known, principal = self._known(book, credential.access_key, request)
        try:
            if credential.service != "s3":
                raise SignatureProblem("scope", f"incorrect service '{credential.service[:64]}': expected 's3'.")
            payload = payload_hash(request.signed, credential)
            seed = verify(
                request.signed,
                credential,
                known.secret_key,
                now=self._clock(),
                payload=payload,
            )
        except SignatureProblem as problem:
            raise self._refusal(problem, request, credential) from problem
        return Signer(access_key=known.access_key, payload=payload, seed=seed, principal=principal)

    def _check_v2_header(self, request: S3Request, book: CredentialBook) -> Signer:
        access_key, _, signature = request.headers["authorization"].removeprefix("AWS ").strip().partition(":")
        known, principal = self._known(book, access_key, request)
        _compare_v2(known, signature, signature_v2.strings_to_sign(request))
        at = signature_v2.signed_at(request.headers)
        if abs(at - self._clock()) > SKEW_SECONDS:
            raise self._skewed(_stamp(at))
        return Signer(access_key=known.access_key, principal=principal)

    def _check_v2_query(self, request: S3Request, book: CredentialBook) -> Signer:
        known, principal = self._known(book, request.query["AWSAccessKeyId"], request)
        expires = request.query.get("Expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
            raise Refusal("AccessDenied", "Query-string authentication requires Expires, a number of epoch seconds.")
        _compare_v2(known, request.query["Signature"], signature_v2.strings_to_sign(request, expires))
        if self._clock() > int(expires):
            raise Refusal(
                "AccessDenied", "Request has expired", Expires=_stamp(int(expires)), ServerTime=_stamp(self._clock())
            )
        return Signer(access_key=known.access_key, principal=principal)

    def _known(self, book: CredentialBook, access_key: str, request: S3Request) -> tuple[Credentials, Principal]:
        """The credentials of the key and whose they are: a user's, or those of the session whose token comes."""
        token = request.headers.get("x-amz-security-token") or request.query.get("X-Amz-Security-Token")
        if token is None:
            known = book.find(access_key)
            if known is None:
                raise Refusal(
                    "InvalidAccessKeyId",
                    "The AWS Access Key Id you provided does not exist in our records.",
                    AWSAccessKeyId=access_key[:128],
                )
            return known, Principal(account=known.account, name=known.user)
        try:
            session = open_session(book, access_key, token, self._clock())
            return session.credentials, session.principal
        except BadToken as problem:
            if problem.kind == "expired":
                raise Refusal("ExpiredToken", "The provided token has expired.") from None
            text = "The provided token is malformed or otherwise invalid: AssumeRole gave no such one for this key."
            raise Refusal("InvalidToken", text) from None

    def _refusal(self, problem: SignatureProblem, request: S3Request, credential: Credential | None) -> Refusal:
        """A problem of version 4 in S3's words."""
        presigned = "authorization" not in request.headers
        kind = problem.kind
        if kind == "mismatch":
            return Refusal(
                "SignatureDoesNotMatch",
                MISMATCH,
                AWSAccessKeyId=credential.access_key if credential else "",
                StringToSign=problem.string_to_sign,
                SignatureProvided=credential.signature if credential else "",
                CanonicalRequest=problem.canonical_request,
            )
        if kind == "twofold":
            return Refusal("InvalidArgument", problem.text, ArgumentName="Authorization")
        if kind == "link_expired" and credential is not None:
            return Refusal(
                "AccessDenied",
                "Request has expired",
                **{"X-Amz-Expires": str(credential.expires)},
                Expires=_stamp(credential.signed_at + (credential.expires or 0)),
                ServerTime=_stamp(self._clock()),
            )
        if kind == "not_yet" and presigned:
            return Refusal("AccessDenied", "Request is not valid yet", ServerTime=_stamp(self._clock()))
        if kind in ("expired", "not_yet"):
            return self._skewed(_stamp(problem.signed_at or 0.0))
        if kind == "not_signed":
            return Refusal(
                "AccessDenied", f"There were headers present in the request which were not signed: {problem.text}"
            )
        if kind == "content_hash":
            return Refusal("InvalidRequest", f"Missing or bad header for this request: {problem.text}")
        if presigned:
            return Refusal("AuthorizationQueryParametersError", problem.text)
        return Refusal("AuthorizationHeaderMalformed", f"The authorization header is malformed; {problem.text}")

    def _skewed(self, request_time: str) -> Refusal:
        return Refusal(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            RequestTime=request_time,
            ServerTime=_stamp(self._clock()),
            MaxAllowedSkewMilliseconds=str(int(SKEW_SECONDS * 1000)),
        )


def _compare_v2(known: Credentials, signature: str, texts: list[str]) -> None:
    for text in texts:
        right = signature_v2.sign(known.secret_key, text).encode()
        if hmac.compare_digest(right, signature.encode("utf-8", "surrogateescape")):
            return
    raise Refusal(
        "SignatureDoesNotMatch",
        MISMATCH,
        AWSAccessKeyId=known.access_key,
        StringToSign=texts[0],
        SignatureProvided=signature[:256],
    )


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
