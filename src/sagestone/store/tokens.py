"""Tokens of the next page: where a list goes on, sealed so that only this store's own are taken, for the same query."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import replace

from sagestone.store.interface import BadToken, ListQuery

#: The sort key of the last row that was shown or passed over.
Position = list[str | float | int]

_SEAL_LENGTH = 16


def make_token(key: bytes, kind: str, query: ListQuery, position: Position) -> str:
    """An opaque word of URL-safe base64."""
    body = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(key, kind, query, body) + body).decode()


def read_token(key: bytes, kind: str, query: ListQuery, token: str) -> Position:
    """The position in it; raises BadToken when the token was not made for this query (its page size may differ)."""
    try:
        content = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadToken("the token is not base64") from error
    seal, body = content[:_SEAL_LENGTH], content[_SEAL_LENGTH:]
    if not hmac.compare_digest(seal, _seal(key, kind, query, body)):
        raise BadToken("the token belongs to another query, or was changed")
    position: Position = json.loads(body)
    return position


def _seal(key: bytes, kind: str, query: ListQuery, body: bytes) -> bytes:
    bound = repr((kind, replace(query, token=None, limit=0))).encode("utf-8", "surrogatepass")
    return hmac.new(key, bound + b"\0" + body, hashlib.sha256).digest()[:_SEAL_LENGTH]
