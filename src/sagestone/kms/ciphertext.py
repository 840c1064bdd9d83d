"""The form of a CiphertextBlob: it names the key that sealed it, and opens in the same encryption context only."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

_VERSION = b"\x01sk"
_HEAD = len(_VERSION) + 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ciphertext:
    """Which key sealed it, and what is sealed."""

    key_id: str
    sealed: bytes

    def to_bytes(self) -> bytes:
        """As callers keep it."""
        return _VERSION + uuid.UUID(self.key_id).bytes + self.sealed


def read_ciphertext(blob: bytes) -> Ciphertext | None:
    """What a caller gave; None where it is in no such form."""
    if len(blob) <= _HEAD or not blob.startswith(_VERSION):
        return None
    return Ciphertext(key_id=str(uuid.UUID(bytes=blob[len(_VERSION) : _HEAD])), sealed=blob[_HEAD:])


def context_bytes(context: Mapping[str, str]) -> bytes:
    """An encryption context as additional authenticated data: the same bytes in whichever order it is given."""
    return msgspec.json.encode(sorted(context.items()))


def is_key_id(text: str) -> bool:
    """Whether it has the form of a key's id."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
