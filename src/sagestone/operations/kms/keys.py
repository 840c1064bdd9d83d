"""Keys of KMS: CreateKey, DescribeKey, ListKeys, and what changes their state."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sagestone.kms.key import Key
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.policies import is_default_policy
from sagestone.operations.kms.requests import customer_key, kms_errors, named_key, page, refuse_grants
from sagestone.operations.kms.tags import check_tags
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException
from sagestone.wire.kms_errors import KMSInvalidStateException, UnsupportedOperationException

_DAY: Final = 86400.0
_SOONEST, _LATEST = 7, 30  # days until a key is deleted (documented)
#: Members of which one value is served, which is the default too.
_ONLY: Final = {
    "KeyUsage": "ENCRYPT_DECRYPT",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}
_NEVER: Final = {
    "CustomKeyStoreId": "there are no custom key stores here",
    "XksKeyId": "there are no external key stores here",
}


def create_key(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A new symmetric key, enabled; whatever asks for another kind is refused by the member's name."""
    given = call.parameters
    for name, only in _ONLY.items():
        if given.get(name) not in (None, only):
            shown = str(only).lower() if only is False else only
            raise UnsupportedOperationException(
                f"{name} {given[name]} is not supported yet: only {shown} is served here"
            )
    for name, why in _NEVER.items():
        if given.get(name):
            raise UnsupportedOperationException(f"{name} is not supported yet: {why}; leave it out")
    if given.get("Policy") and not is_default_policy(given["Policy"], deps.deployment):
        raise UnsupportedOperationException(
            "Policy is not supported yet: keys have no policies here but the default one, by which the account may do "
            "everything; leave it out"
        )
    tags = {tag["TagKey"]: tag["TagValue"] for tag in given.get("Tags") or ()}
    check_tags(tags, len(given.get("Tags") or ()))
    with kms_errors():
        return {"KeyMetadata": _metadata(deps, deps.vault.create(given.get("Description") or "", tags))}


def describe_key(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The key of an id, ARN, alias or alias ARN."""
    refuse_grants(call.parameters)
    return {"KeyMetadata": _metadata(deps, named_key(deps, call.parameters["KeyId"]))}


def list_keys(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Ids and ARNs, 100 on a page unless asked otherwise."""
    if call.parameters.get("ResourceOwners") not in (None, [], ["SELF"]):
        raise UnsupportedOperationException("ResourceOwners: there are only keys of the account itself here")
    keys = deps.vault.all()
    shown, more = page(keys, [key.id for key in keys], call.parameters, 100)
    return {"Keys": [{"KeyId": key.id, "KeyArn": deps.vault.arn(key)} for key in shown], **more}


def enable_key(deps: Dependencies, call: Call) -> None:
    """The key may be used again."""
    key = _not_pending(deps, customer_key(deps, call.parameters["KeyId"], "EnableKey"))
    _change(deps, key, state="Enabled")


def disable_key(deps: Dependencies, call: Call) -> None:
    """From now on nothing is encrypted or decrypted with the key."""
    key = _not_pending(deps, customer_key(deps, call.parameters["KeyId"], "DisableKey"))
    _change(deps, key, state="Disabled")


def schedule_key_deletion(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The key cannot be used from now on, and is gone for ever after 7 to 30 days."""
    days = call.parameters.get("PendingWindowInDays")
    days = _LATEST if days is None else days
    if not _SOONEST <= days <= _LATEST:
        raise ValidationException(f"PendingWindowInDays is {days}: expected {_SOONEST} to {_LATEST} days")
    key = _not_pending(deps, customer_key(deps, call.parameters["KeyId"], "ScheduleKeyDeletion"))
    deletion_at = round(deps.clock() + days * _DAY, 3)
    _change(deps, key, state="PendingDeletion", deletion_at=deletion_at)
    return {
        "KeyId": deps.vault.arn(key),
        "DeletionDate": deletion_at,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }


def cancel_key_deletion(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The key stays, disabled."""
    key = customer_key(deps, call.parameters["KeyId"], "CancelKeyDeletion")
    if key.state != "PendingDeletion":
        raise KMSInvalidStateException(f"{deps.vault.arn(key)} is not pending deletion.")
    _change(deps, key, state="Disabled", deletion_at=None)
    return {"KeyId": deps.vault.arn(key)}


def update_key_description(deps: Dependencies, call: Call) -> None:
    """Put another description in place of the key's."""
    key = _not_pending(deps, customer_key(deps, call.parameters["KeyId"], "UpdateKeyDescription"))
    _change(deps, key, description=call.parameters["Description"])


def _not_pending(deps: Dependencies, key: Key) -> Key:
    if key.state == "PendingDeletion":
        raise KMSInvalidStateException(f"{deps.vault.arn(key)} is pending deletion.")
    return key


def _change(deps: Dependencies, key: Key, **members: Any) -> None:
    with kms_errors():
        deps.vault.change(key, lambda known: replace(known, **members))


def _metadata(deps: Dependencies, key: Key) -> dict[str, Any]:
    return {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": deps.vault.arn(key),
        "CreationDate": key.created_at,
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
        **({} if key.deletion_at is None else {"DeletionDate": key.deletion_at}),
    }
