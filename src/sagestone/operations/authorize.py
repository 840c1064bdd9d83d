"""Whether the caller of an operation may call it: asked before anything else is done, for every service served."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sagestone.domain.access import decide, denial
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.kms.resources import kms_resources
from sagestone.operations.resource_arns import resources_of
from sagestone.wire.call import Call
from sagestone.wire.errors import AccessDeniedException

#: What needs no permission: whoever signs may learn who they are, as on AWS.
_FREE: Final = frozenset({("sts", "GetCallerIdentity")})

_ROLE: Final = re.compile(r"arn:[^:]*:iam::[^:]*:role/(?:.*/)?([^/]+)", re.DOTALL)

#: IAM's words for services whose signing name is another.
_PREFIX: Final = {"monitoring": "cloudwatch"}


def authorize(deps: Dependencies, call: Call) -> None:
    """Raises AccessDeniedException, in AWS's words, for the first action that is not allowed."""
    principal = call.caller.principal
    if principal is None or (call.service, call.operation) in _FREE:
        return
    grants = deps.book.grants(principal)
    if grants.own is None and grants.bound is None:
        return  # nobody is kept from anything: the usual case, and the quick one
    for action, resource in _needed(deps, call):
        decision = decide(grants, action, resource)
        plain = _plain_role(deps, resource)
        if decision.outcome == "allowed" and plain != resource:
            decision = decide(grants, action, plain)
            if decision.outcome != "explicitDeny":
                continue
        if decision.outcome != "allowed":
            arn = principal.arn(deps.deployment.partition)
            raise AccessDeniedException(denial(arn, action, resource, decision))


def action_of(service: str, operation: str) -> str:
    """What policies call an operation."""
    return f"{_PREFIX.get(service, service)}:{operation}"


def _needed(deps: Dependencies, call: Call) -> Iterator[tuple[str, str]]:
    """(action, resource): the operation itself, and handing over each role that the request names."""
    action = action_of(call.service, call.operation)
    if call.service == "kms":
        resources = kms_resources(deps, call.parameters) or ["*"]
    else:
        resources = resources_of(deps.deployment, call.service, call.operation, call.parameters)
    for resource in resources:
        yield action, resource
    if call.service == "sagemaker":
        for role in _passed_roles(call.parameters):
            yield "iam:PassRole", role


def _plain_role(deps: Dependencies, resource: str) -> str:
    """The ARN of a role without its path: here a role is its name, so a path does not lead around a deny."""
    found = _ROLE.fullmatch(resource)
    return deps.deployment.role_arn(found[1]) if found else resource


def _passed_roles(parameters: Mapping[str, Any]) -> Iterator[str]:
    validation = parameters.get("ValidationSpecification") or {}
    for role in (parameters.get("RoleArn"), parameters.get("ExecutionRoleArn"), validation.get("ValidationRole")):
        if role:
            yield str(role)
