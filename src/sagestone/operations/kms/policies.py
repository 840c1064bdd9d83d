"""What can be asked of a key beside its use: its policy and its rotation. Key policies are not evaluated here."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sagestone.domain.names import Deployment
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.requests import named_key
from sagestone.wire.call import Call
from sagestone.wire.kms_errors import NotFoundException

_DEFAULT: Final = "default"


def default_policy(deployment: Deployment) -> dict[str, Any]:
    """The policy of a key that was given none: the account may do everything with it."""
    root = f"arn:{deployment.partition}:iam::{deployment.account}:root"
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}


def is_default_policy(text: str, deployment: Deployment) -> bool:
    """Whether a policy says what the default one says, whatever it calls itself."""
    try:
        given = json.loads(text)
        return [_meaning(each) for each in given["Statement"]] == [_meaning(default_policy(deployment)["Statement"][0])]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def get_key_policy(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The default policy: there is no other."""
    named_key(deps, call.parameters["KeyId"])
    if call.parameters.get("PolicyName") not in (None, _DEFAULT):
        raise NotFoundException("No such policy exists")
    return {"Policy": json.dumps(default_policy(deps.deployment)), "PolicyName": _DEFAULT}


def list_key_policies(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The one name that there is."""
    named_key(deps, call.parameters["KeyId"])
    return {"PolicyNames": [_DEFAULT], "Truncated": False}


def get_key_rotation_status(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keys are not rotated here."""
    key = named_key(deps, call.parameters["KeyId"])
    return {"KeyId": deps.vault.arn(key), "KeyRotationEnabled": False}


def _meaning(statement: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement says, without its name."""
    return {name: said for name, said in statement.items() if name != "Sid"}
