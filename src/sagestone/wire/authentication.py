"""Who calls a JSON service: the signature checked and refused in the words of AWS's JSON services."""

from collections.abc import Callable

from sagestone.wire.call import Caller
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    ServiceError,
    UnrecognizedClientException,
)
from sagestone.wire.signature import SignatureProblem, SignedRequest, check_scope, parse_authorization, verify

SKEW_SECONDS = 300.0


class Authentication:
    """Checks signatures against the book's keys; with `no_auth` everybody is the account's first caller."""

    def __init__(self, book: CredentialBook, *, region: str, no_auth: bool, clock: Callable[[], float]) -> None:
        self._book = book
        self._region = region
        self._no_auth = no_auth
        self._clock = clock

    def caller(self, request: SignedRequest, service: str) -> Caller:
        """The caller of a request to `service`; raises the ServiceError that AWS answers. The order of the checks:
        form, scope, known key, signature, time."""
        if self._no_auth:
            return Caller(account=self._book.default.account, access_key="", region=self._region)
        try:
            return self._verified(request, service)
        except SignatureProblem as problem:
            raise _as_service_error(problem) from None

    def _verified(self, request: SignedRequest, service: str) -> Caller:
        credential = parse_authorization(request)
        if credential is None:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        check_scope(credential, region=self._region, services=(service,))
        known = self._book.find(credential.access_key)
        if known is None:
            raise UnrecognizedClientException("The security token included in the request is invalid.")
        if "x-amz-security-token" in request.headers or "X-Amz-Security-Token=" in request.raw_query:
            raise UnrecognizedClientException(
                "The security token included in the request is invalid. This service issues no session tokens: leave "
                "AWS_SESSION_TOKEN unset."
            )
        verify(request, credential, known.secret_key, now=self._clock(), skew_seconds=SKEW_SECONDS)
        return Caller(account=known.account, access_key=known.access_key, region=self._region)


def _as_service_error(problem: SignatureProblem) -> ServiceError:
    if problem.kind == "incomplete":
        return IncompleteSignatureException(problem.text)
    return InvalidSignatureException(problem.text)
