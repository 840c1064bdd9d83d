"""GetCallerIdentity and AssumeRole of STS, and GetRole of IAM.

Every role exists and trusts SageMaker and whoever may assume it; without a policy it may do everything in its account.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from sagestone.domain.principal import FIRST_USER, Principal
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationError
from sagestone.wire.session_tokens import issue_session

_LONGEST, _DEFAULT = 43200, 3600  # seconds of a session (documented)
_ROLE = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role/(?:.*/)?([\w+=,.@-]{1,64})")
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def get_caller_identity(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Who signed the request: a user, or an assumed role; without authentication the first user."""
    caller = call.caller
    principal = caller.principal or Principal(account=caller.account, name=FIRST_USER)
    arn = principal.arn(deps.deployment.partition)
    if principal.kind == "user":
        return {"UserId": _unique("AIDA", arn), "Account": caller.account, "Arn": arn}
    role, _, session = arn.rpartition("/")
    return {"UserId": f"{_unique('AROA', role)}:{session}", "Account": caller.account, "Arn": arn}


def assume_role(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Temporary credentials that name the role, with its policies. Raises ValidationError."""
    given = call.parameters
    for name, why in (
        ("Policy", "session policies"),
        ("PolicyArns", "session policies"),
        ("TokenCode", "second factors"),
    ):
        if given.get(name):
            raise ValidationError(f"{name} is not supported yet: there are no {why} here; leave it out")
    found = _ROLE.fullmatch(given["RoleArn"])
    if found is None:
        raise ValidationError(f"{given['RoleArn']} is invalid: expected arn:aws:iam::ACCOUNT:role/NAME")
    if found[1] != deps.deployment.account:
        raise ValidationError(f"{given['RoleArn']} is a role of another account than {deps.deployment.account}")
    seconds = given.get("DurationSeconds") or _DEFAULT
    role = f"arn:{deps.deployment.partition}:sts::{deps.deployment.account}:assumed-role/{found[2]}"
    session = issue_session(deps.book, f"{role}/{given['RoleSessionName']}", round(deps.clock()) + seconds)
    answer: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": session.credentials.access_key,
            "SecretAccessKey": session.credentials.secret_key,
            "SessionToken": session.token,
            "Expiration": session.expires_at,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{_unique('AROA', role)}:{given['RoleSessionName']}", "Arn": session.arn},
    }
    return answer | ({"SourceIdentity": given["SourceIdentity"]} if given.get("SourceIdentity") else {})


def get_role(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The role of that name, whichever: it exists since the epoch, and SageMaker may assume it."""
    name, deployment = call.parameters["RoleName"], deps.deployment
    role = f"arn:{deployment.partition}:sts::{deployment.account}:assumed-role/{name}"
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": _unique("AROA", role),
            "Arn": deployment.role_arn(name),
            "CreateDate": 0.0,
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST)),
            "MaxSessionDuration": _LONGEST,
        }
    }


def _unique(prefix: str, arn: str) -> str:
    """An id such as AIDA…, always the same for the same ARN."""
    return prefix + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
