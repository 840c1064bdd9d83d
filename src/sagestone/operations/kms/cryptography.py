"""Encrypt, Decrypt, ReEncrypt, GenerateDataKey and GenerateRandom of KMS."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from sagestone.kms.key import Key
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.requests import check_length, kms_errors, named_key, refuse_grants
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException
from sagestone.wire.kms_errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidKeyUsageException,
    UnsupportedOperationException,
)

_ALGORITHM: Final = "SYMMETRIC_DEFAULT"
_LONGEST_PLAINTEXT, _LONGEST_CIPHERTEXT = 4096, 6144
_SIZES: Final = {"AES_256": 32, "AES_128": 16}
_NOT_IN_ENCLAVES: Final = "Recipient is not supported yet: there are no enclaves here; leave it out"


def encrypt(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Up to 4,096 bytes under a key, bound to the encryption context."""
    given = call.parameters
    _check(given, "EncryptionAlgorithm")
    check_length(given, "Plaintext", _LONGEST_PLAINTEXT)
    key = named_key(deps, given["KeyId"])
    with kms_errors():
        blob = deps.vault.encrypt(key, given["Plaintext"], given.get("EncryptionContext") or {})
    _stop_when_dry(given)
    return {"CiphertextBlob": blob, "KeyId": deps.vault.arn(key), "EncryptionAlgorithm": _ALGORITHM}


def decrypt(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The plaintext, in the same encryption context; KeyId, where given, must name the key that encrypted."""
    given = call.parameters
    _check(given, "EncryptionAlgorithm")
    _refuse_others(given)
    key, plaintext = _opened(deps, given, "EncryptionContext", given.get("KeyId"))
    _stop_when_dry(given)
    return {"KeyId": deps.vault.arn(key), "Plaintext": plaintext, "EncryptionAlgorithm": _ALGORITHM}


def re_encrypt(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """What one key encrypted, encrypted by another, without the plaintext leaving."""
    given = call.parameters
    _check(given, "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")
    _refuse_others(given)
    source, plaintext = _opened(deps, given, "SourceEncryptionContext", given.get("SourceKeyId"))
    key = named_key(deps, given["DestinationKeyId"])
    with kms_errors():
        blob = deps.vault.encrypt(key, plaintext, given.get("DestinationEncryptionContext") or {})
    _stop_when_dry(given)
    return {
        "CiphertextBlob": blob,
        "SourceKeyId": deps.vault.arn(source),
        "KeyId": deps.vault.arn(key),
        "SourceEncryptionAlgorithm": _ALGORITHM,
        "DestinationEncryptionAlgorithm": _ALGORITHM,
    }


def generate_data_key(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A fresh key, in the clear and under the named one."""
    given = call.parameters
    if given.get("Recipient"):
        raise UnsupportedOperationException(_NOT_IN_ENCLAVES)
    size, chosen = given.get("NumberOfBytes"), given.get("KeySpec")
    if (size is None) == (chosen is None):
        raise ValidationException("Please specify either number of bytes or key spec.")
    _check(given)
    plaintext = secrets.token_bytes(_SIZES[chosen] if chosen else size)
    key = named_key(deps, given["KeyId"])
    with kms_errors():
        blob = deps.vault.encrypt(key, plaintext, given.get("EncryptionContext") or {})
    _stop_when_dry(given)
    return {"CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": deps.vault.arn(key)}


def generate_data_key_without_plaintext(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A fresh key under the named one."""
    whole = generate_data_key(deps, call)
    return {name: value for name, value in whole.items() if name != "Plaintext"}


def generate_random(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Random bytes."""
    given = call.parameters
    if given.get("Recipient"):
        raise UnsupportedOperationException(_NOT_IN_ENCLAVES)
    if given.get("CustomKeyStoreId"):
        raise UnsupportedOperationException(
            "CustomKeyStoreId is not supported yet: there are no custom key stores here"
        )
    if not given.get("NumberOfBytes"):
        raise ValidationException("Please specify number of bytes.")
    return {"Plaintext": secrets.token_bytes(given["NumberOfBytes"])}


def _opened(deps: Dependencies, given: Mapping[str, Any], context: str, named: str | None) -> tuple[Key, bytes]:
    check_length(given, "CiphertextBlob", _LONGEST_CIPHERTEXT)
    expected = named_key(deps, named) if named else None
    with kms_errors():
        key, plaintext = deps.vault.decrypt(given.get("CiphertextBlob") or b"", given.get(context) or {})
    if expected is not None and expected.id != key.id:
        raise IncorrectKeyException(
            "The key ID in the request does not identify a CMK that can perform this operation."
        )
    return key, plaintext


def _check(given: Mapping[str, Any], *algorithms: str) -> None:
    refuse_grants(given)
    for name in algorithms:
        if given.get(name) not in (None, _ALGORITHM):
            raise InvalidKeyUsageException(f"{name} {given[name]}: keys here are {_ALGORITHM}")


def _refuse_others(given: Mapping[str, Any]) -> None:
    if given.get("Recipient"):
        raise UnsupportedOperationException(_NOT_IN_ENCLAVES)
    if given.get("DryRunModifiers"):
        raise UnsupportedOperationException("DryRunModifiers are not supported yet; leave them out")


def _stop_when_dry(given: Mapping[str, Any]) -> None:
    if given.get("DryRun"):
        raise DryRunOperationException("The request would have succeeded, but the DryRun option is set.")
