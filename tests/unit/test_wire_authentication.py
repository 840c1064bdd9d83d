"""Refused signatures in the words of AWS's JSON services."""

import pytest
from botocore.auth import SigV4Auth

from sagestone.domain.principal import Principal
from sagestone.wire.authentication import Authentication
from sagestone.wire.call import Caller
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    ServiceError,
    UnrecognizedClientException,
)
from sagestone.wire.signature import SignedRequest
from tests.unit.test_signature import SECRET, changed, credential_of, signed_by_botocore

REQUEST = signed_by_botocore(SigV4Auth, "sagemaker")
SIGNED_AT = credential_of(REQUEST).signed_at


def authentication(
    *, secret: str = SECRET, key: str = "AKIDEXAMPLE", region: str = "us-east-1", no_auth: bool = False, late: float = 0
) -> Authentication:
    book = CredentialBook([Credentials(access_key=key, secret_key=secret, account="123456789012")])
    return Authentication(book, region=region, no_auth=no_auth, clock=lambda: SIGNED_AT + late)


def refusal(checks: Authentication, request: SignedRequest = REQUEST, service: str = "sagemaker") -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        checks.caller(request, service)
    assert refused.value.status == 400
    return refused.value


def test_a_good_signature_names_the_caller() -> None:
    caller = authentication().caller(REQUEST, "sagemaker")
    user = Principal(account="123456789012", name="sagestone")
    assert caller == Caller(account="123456789012", access_key="AKIDEXAMPLE", region="us-east-1", principal=user)


def test_without_authentication_everybody_is_let_in() -> None:
    unsigned = SignedRequest.of("POST", "/", [("Host", "h")])
    expected = Caller(account="123456789012", access_key="", region="us-east-1")
    assert authentication(no_auth=True).caller(unsigned, "sagemaker") == expected
    assert authentication(no_auth=True, secret="x").caller(REQUEST, "logs") == expected


@pytest.mark.parametrize(
    ("checks", "kind", "text"),
    [
        (
            authentication(key="OTHER"),
            UnrecognizedClientException,
            "The security token included in the request is invalid.",
        ),
        (authentication(secret="x"), InvalidSignatureException, "The request signature we calculated does not match"),
        (authentication(late=901), InvalidSignatureException, "Signature expired: "),
        (authentication(late=-901), InvalidSignatureException, "Signature not yet current: "),
        (authentication(region="eu-west-1"), InvalidSignatureException, "Credential should be scoped to a valid Reg"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(checks: Authentication, kind: type, text: str) -> None:
    refused = refusal(checks)
    assert isinstance(refused, kind)
    assert refused.message.startswith(text)


def test_a_credential_of_another_service_is_refused() -> None:
    assert "scoped to correct service: 'logs'" in refusal(authentication(), service="logs").message


def test_a_session_token_that_was_never_given_out_is_refused() -> None:
    refused = refusal(authentication(), changed(REQUEST, x_amz_security_token="token"))
    assert isinstance(refused, UnrecognizedClientException)
    assert "AWS_SESSION_TOKEN" in refused.message


def test_a_request_without_a_signature_is_told_so() -> None:
    refused = refusal(authentication(), SignedRequest.of("POST", "/", [("Host", "h")]))
    assert isinstance(refused, MissingAuthenticationTokenException)
    assert refused.message == "Missing Authentication Token"
    assert isinstance(refusal(authentication(), changed(REQUEST, authorization="AWS4-HMAC-SHA256 x")),
                      IncompleteSignatureException)  # fmt: skip
