"""Who calls a JSON service: the signature checked and refused in the words of AWS's JSON services."""

from collections.abc import Callable
from functools import lru_cache

from sagestone.domain.principal import Principal
from sagestone.wire.call import Caller
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.errors import (
    ExpiredTokenException,
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    ServiceError,
    UnrecognizedClientException,
)
from sagestone.wire.session_tokens import BadToken, open_session
from sagestone.wire.signature import (
    Credential,
    SignatureProblem,
    SignedRequest,
    check_scope,
    parse_authorization,
    session_token,
    verify,
)

GLOBAL_REGION = "us-east-1"


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

    def introduce(self, request: SignedRequest, service: str) -> None:
        """Before a long body is read: refuse, with the same errors, who names no key of ours."""
        if self._no_auth:
            return
        try:
            self._introduced(request, service)
        except SignatureProblem as problem:
            raise _as_service_error(problem) from None

    def _introduced(self, request: SignedRequest, service: str) -> tuple[Credential, Credentials, Principal]:
        credential = parse_authorization(request)
        if credential is None:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        check_scope(credential, region=self._scope_region(credential, service), services=(service,))
        known, principal = self._known(request, credential)
        return credential, known, principal

    def _verified(self, request: SignedRequest, service: str) -> Caller:
        credential, known, principal = self._introduced(request, service)
        verify(request, credential, known.secret_key, now=self._clock())
        return Caller(account=known.account, access_key=known.access_key, region=self._region, principal=principal)

    def _scope_region(self, credential: Credential, service: str) -> str:
        """IAM has no regions: clients sign for us-east-1, wherever they are."""
        return GLOBAL_REGION if service == "iam" and credential.region == GLOBAL_REGION else self._region

    def _known(self, request: SignedRequest, credential: Credential) -> tuple[Credentials, Principal]:
        """The credentials of the key and whose they are: a user's, or an assumed role's where a token says so."""
        access_key = credential.access_key
        token = session_token(request, credential)
        if token is None:
            known = self._book.find(access_key)
            if known is None:
                raise UnrecognizedClientException("The security token included in the request is invalid.")
            return known, _user(known.account, known.user)
        try:
            session = open_session(self._book, access_key, token, self._clock())
        except BadToken as problem:
            if problem.kind == "expired":
                raise ExpiredTokenException("The security token included in the request is expired") from None
            raise UnrecognizedClientException(
                "The security token included in the request is invalid. It was not given out by AssumeRole of this "
                "service: leave AWS_SESSION_TOKEN unset with the keys of `sagestone env`."
            ) from None
        return session.credentials, session.principal


@lru_cache(maxsize=256)
def _user(account: str, name: str) -> Principal:
    return Principal(account=account, name=name)


def _as_service_error(problem: SignatureProblem) -> ServiceError:
    if problem.kind in ("incomplete", "twofold"):
        return IncompleteSignatureException(problem.text)
    return InvalidSignatureException(problem.text)
