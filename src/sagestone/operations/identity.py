"""GetCallerIdentity and AssumeRole of STS, GetRole and SimulatePrincipalPolicy of IAM.

There are no policies here: every role exists, trusts SageMaker and whoever has keys, and may do everything.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationError
from sagestone.wire.session_tokens import issue_session

#: The name of the user that the service's own keys belong to.
USER: Final = "sagestone"
_LONGEST, _DEFAULT = 43200, 3600  # seconds of a session (documented)
_ROLE = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role/(?:.*/)?([\w+=,.@-]{1,64})")
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def get_caller_identity(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Who signed the request: the user of the service's keys, or an assumed role."""
    caller = call.caller
    arn = caller.arn or f"arn:{deps.deployment.partition}:iam::{caller.account}:user/{USER}"
    if not caller.arn:
        return {"UserId": _unique("AIDA", arn), "Account": caller.account, "Arn": arn}
    role, _, session = arn.rpartition("/")
    return {"UserId": f"{_unique('AROA', role)}:{session}", "Account": caller.account, "Arn": arn}


def assume_role(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Temporary credentials that name the role; they may do what all others may. Raises ValidationError."""
    given = call.parameters
    for name, why in (("Policy", "policies"), ("PolicyArns", "policies"), ("TokenCode", "second factors")):
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


def simulate_principal_policy(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Every action on every resource is allowed: nothing here asks a policy."""
    resources = call.parameters.get("ResourceArns") or ["*"]
    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed", "MatchedStatements": []}
        for action in call.parameters["ActionNames"]
        for resource in resources
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _unique(prefix: str, arn: str) -> str:
    """An id such as AIDA…, always the same for the same ARN."""
    return prefix + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
