"""Sealing bytes under a key: AES-256-GCM under a key of its own for every seal, so that no nonce is ever used twice."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
SALT_BYTES = 16
_NONCE_BYTES = 12


class BadSeal(Exception):
    """What was sealed, its key or its context is another one."""


def seal(key: bytes, data: bytes, context: bytes) -> bytes:
    """`data` sealed; whoever opens it must have the same key and context."""
    salt = secrets.token_bytes(SALT_BYTES)
    cipher, nonce = _derived(key, salt)
    return salt + cipher.encrypt(nonce, data, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What was sealed; raises BadSeal."""
    cipher, nonce = _derived(key, sealed[:SALT_BYTES])
    try:
        return cipher.decrypt(nonce, sealed[SALT_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise BadSeal from error


def derived_key(key: bytes, salt: bytes, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    """A key made of another by HKDF with SHA-256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose).derive(key)


def _derived(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    made = derived_key(key, salt, b"sagestone seal", KEY_BYTES + _NONCE_BYTES)
    return AESGCM(made[:KEY_BYTES]), made[KEY_BYTES:]
