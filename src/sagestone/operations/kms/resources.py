"""The keys and aliases that an operation of KMS is about, by ARN: a key is the same one by whichever of its names."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sagestone.kms.ciphertext import read_ciphertext
from sagestone.kms.names import alias_arn, key_arn
from sagestone.kms.refusal import KmsRefusal
from sagestone.operations.dependencies import Dependencies

_NAMES: Final = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")


def kms_resources(deps: Dependencies, parameters: Mapping[str, Any]) -> list[str]:
    """The ARNs of all keys that are named, or that sealed a ciphertext, and of the alias that is changed."""
    return list(dict.fromkeys(_resources(deps, parameters)))


def _resources(deps: Dependencies, parameters: Mapping[str, Any]) -> Iterator[str]:
    for member in _NAMES:
        if parameters.get(member):
            yield _key(deps, str(parameters[member]))
    sealed = read_ciphertext(parameters.get("CiphertextBlob") or b"")
    if sealed is not None:
        yield key_arn(deps.deployment, sealed.key_id)
    alias = parameters.get("AliasName")
    if alias:
        yield alias_arn(deps.deployment, str(alias))
        yield from _key_behind(deps, str(alias))


def _key(deps: Dependencies, name: str) -> str:
    """The key of a name; the name as it was given where there is none: then the operation says so."""
    return next(_key_behind(deps, name), name if name.startswith("arn:") else key_arn(deps.deployment, name))


def _key_behind(deps: Dependencies, name: str) -> Iterator[str]:
    try:
        yield deps.vault.arn(deps.vault.find(name))
    except KmsRefusal:
        return
