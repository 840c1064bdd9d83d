"""CreateAlias, UpdateAlias, DeleteAlias and ListAliases of KMS."""

from collections.abc import Mapping
from typing import Any, Final

from sagestone.kms.key import Key
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.requests import customer_key, kms_errors, named_key, page
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException
from sagestone.wire.kms_errors import KMSInvalidStateException, NotAuthorizedException

_MOST: Final = 100  # on a page (documented)
_RESERVED: Final = "alias/aws/"


def create_alias(deps: Dependencies, call: Call) -> None:
    """Give a key a further name."""
    name = _checked(call.parameters["AliasName"])
    key = _target(deps, call)
    with kms_errors():
        deps.vault.put_alias(name, key)


def update_alias(deps: Dependencies, call: Call) -> None:
    """Let a name stand for another key."""
    name = _checked(call.parameters["AliasName"])
    key = _target(deps, call)
    with kms_errors():
        deps.vault.put_alias(name, key, replaces=True)


def delete_alias(deps: Dependencies, call: Call) -> None:
    """Take a name away; its key stays."""
    name = _checked(call.parameters["AliasName"])
    with kms_errors():
        deps.vault.remove_alias(name)


def list_aliases(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The names of all keys, or of one; 50 on a page unless asked otherwise."""
    if (call.parameters.get("Limit") or 1) > _MOST:
        raise ValidationException(f"Limit is {call.parameters['Limit']}: expected 1 to {_MOST}")
    found = deps.vault.aliases()
    if call.parameters.get("KeyId"):
        key = named_key(deps, call.parameters["KeyId"])
        found = [each for each in found if each.key_id == key.id]
    shown, more = page(found, [each.name for each in found], call.parameters, 50)
    entries = [
        {
            "AliasName": each.name,
            "AliasArn": deps.vault.alias_arn(each.name),
            "TargetKeyId": each.key_id,
            "CreationDate": each.created_at,
            "LastUpdatedDate": each.updated_at,
        }
        for each in shown
    ]
    return {"Aliases": entries, **more}


def _checked(name: str) -> str:
    """A name that may be given; raises what KMS answers to others."""
    if not name.startswith("alias/") or name == "alias/":
        raise ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(_RESERVED):
        raise NotAuthorizedException(f"{name}: names that begin with {_RESERVED} are those of AWS's own keys")
    if ":" in name:
        raise ValidationException(f"{name} contains invalid characters for an alias")
    return name


def _target(deps: Dependencies, call: Call) -> Key:
    name = call.parameters["TargetKeyId"]
    if name.startswith("alias/"):
        raise ValidationException("Aliases must refer to keys. Not aliases")
    key = customer_key(deps, name, call.operation)
    if key.state == "PendingDeletion":
        raise KMSInvalidStateException(f"{deps.vault.arn(key)} is pending deletion.")
    return key
