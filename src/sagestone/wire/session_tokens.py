"""Temporary credentials: a token that says whose they are and until when, sealed with the service's own key.

Nothing of them is stored: whoever has the credentials file can open every token, and another file voids them all.
"""

import base64
import binascii
import hmac
import json
import secrets
import string
from dataclasses import dataclass
from typing import Literal

from sagestone.domain.principal import Principal
from sagestone.wire.credentials import CredentialBook, Credentials

_LETTERS = string.ascii_uppercase + "234567"


class BadToken(Exception):
    """A session token that is not taken: it was changed or belongs to other keys, or its time is over."""

    def __init__(self, kind: Literal["invalid", "expired"]) -> None:
        super().__init__(kind)
        self.kind: Literal["invalid", "expired"] = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The credentials of an assumed role: `arn` is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`."""

    credentials: Credentials
    token: str
    arn: str
    expires_at: float  # epoch seconds

    @property
    def principal(self) -> Principal:
        """Whom the credentials stand for."""
        _, _, _, _, account, place = self.arn.split(":", 5)
        _, name, session = place.split("/", 2)
        return Principal(account=account, name=name, session=session)


def issue_session(book: CredentialBook, arn: str, expires_at: float) -> Session:
    """New credentials for that assumed role."""
    access_key = "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))
    body = json.dumps([access_key, arn, expires_at], separators=(",", ":")).encode()
    token = base64.urlsafe_b64encode(book.session_hash(b"seal", body) + body).decode()
    return _session(book, access_key, arn, expires_at, token)


def open_session(book: CredentialBook, access_key: str, token: str, now: float) -> Session:
    """The session of a token that comes with that access key; raises BadToken."""
    try:
        content = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadToken("invalid") from None
    seal, body = content[:32], content[32:]
    if not hmac.compare_digest(seal, book.session_hash(b"seal", body)):
        raise BadToken("invalid")
    owner, arn, expires_at = json.loads(body)
    if owner != access_key:
        raise BadToken("invalid")
    if now >= expires_at:
        raise BadToken("expired")
    return _session(book, access_key, arn, expires_at, token)


def _session(book: CredentialBook, access_key: str, arn: str, expires_at: float, token: str) -> Session:
    secret = base64.b64encode(book.session_hash(b"secret", token.encode())).decode()[:40]
    credentials = Credentials(access_key=access_key, secret_key=secret, account=arn.split(":")[4], user="")
    return Session(credentials=credentials, token=token, arn=arn, expires_at=expires_at)
