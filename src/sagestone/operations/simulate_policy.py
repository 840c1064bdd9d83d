"""IAM's SimulatePrincipalPolicy: what `authorize` would say, without doing anything."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sagestone.domain.access import Grants, decide
from sagestone.domain.policy import LONGEST, BadPolicy, Policy, Statement, read_policy
from sagestone.domain.principal import Principal
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import MalformedPolicyDocument, NoSuchEntity, ValidationError

_SOURCE: Final = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):(user|role)/(?:.*/)?([\w+=,.@-]{1,64})")
_KIND: Final = "IAM Policy"
_REFUSED: Final = ("PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy")
#: What one call may ask, lest its evaluation take minutes: a role has no more policies on AWS, and no answer is cut.
_MOST_POLICIES: Final = 20
_MOST_RESULTS: Final = 1000
#: What having no policy means.
_ALL: Final = Policy(name="none", statements=(Statement(effect="Allow", actions=("*",), resources=("*",)),))


def simulate_principal_policy(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The decision for each action on each resource ("*" without any). Raises ValidationError."""
    for name in _REFUSED:
        if call.parameters.get(name):
            raise ValidationError(f"{name} is not supported yet: attached policies and PolicyInputList are evaluated")
    actions, resources = call.parameters["ActionNames"], call.parameters.get("ResourceArns") or ["*"]
    if len(actions) * len(resources) > _MOST_RESULTS:
        raise ValidationError(
            f"ActionNames times ResourceArns is {len(actions) * len(resources)}: {_MOST_RESULTS} decisions are made at "
            "most, as an answer is not divided into pages"
        )
    grants = deps.book.grants(_principal(deps, call.parameters["PolicySourceArn"]))
    given = _read(call.parameters.get("PolicyInputList") or ())
    if given:
        grants = replace(grants, own=(*(grants.own if grants.own is not None else (_ALL,)), *given))
    results = [_result(grants, action, resource) for action in actions for resource in resources]
    return {"EvaluationResults": results, "IsTruncated": False}


def _read(texts: Sequence[str]) -> list[Policy]:
    if len(texts) > _MOST_POLICIES:
        raise ValidationError(f"PolicyInputList has {len(texts)} policies, {_MOST_POLICIES} are evaluated at most")
    for number, text in enumerate(texts, 1):
        if len(text) > LONGEST:
            raise MalformedPolicyDocument(
                f"PolicyInputList.{number} has {len(text)} characters, a policy {LONGEST} at most"
            )
    try:
        return [read_policy(f"PolicyInputList.{number}", json.loads(text)) for number, text in enumerate(texts, 1)]
    except (BadPolicy, ValueError, RecursionError) as problem:
        raise MalformedPolicyDocument(str(problem)) from None


def _principal(deps: Dependencies, source: str) -> Principal:
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise ValidationError(f"{source} is invalid: expected the ARN of a user or a role")
    account, kind, name = found.groups()
    if account != deps.deployment.account:
        raise ValidationError(f"{source} is of another account than {deps.deployment.account}")
    if kind == "user" and name not in deps.book.document.user_names(account):
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    return Principal(account=account, name=name, session="" if kind == "user" else "simulated")


def _result(grants: Grants, action: str, resource: str) -> dict[str, Any]:
    decision = decide(grants, action, resource)
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.outcome,
        "MatchedStatements": [{"SourcePolicyId": name, "SourcePolicyType": _KIND} for name in decision.matched],
        "MissingContextValues": [],
    }
    if grants.bound is not None:
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": decision.within_bound}
    return result
