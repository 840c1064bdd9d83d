"""The ARNs that an operation is about, as policies name them; "*" where it is about none in particular."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sagestone.domain.names import Deployment, ResourceKind

Members = Mapping[str, Any]

#: What `Create…`, `Describe…` and the like are about.
_KINDS: Final[Mapping[str, ResourceKind]] = {
    "Algorithm": "algorithm",
    "TrainingJob": "training-job",
    "TransformJob": "transform-job",
    "Model": "model",
    "ModelPackage": "model-package",
    "ModelPackageGroup": "model-package-group",
}
_VERB: Final = re.compile("(?:Create|Describe|Update|Delete|Stop|Interrupt)([A-Za-z]+)")
_LISTED: Final = "ModelPackageArnList"


def resources_of(deployment: Deployment, service: str, operation: str, parameters: Members) -> list[str]:
    """At least one: an ARN, or "*" for an operation that no resource-level permission exists for."""
    find = _FINDERS.get(service)
    found = find(deployment, operation, parameters) if find is not None else []
    return found or ["*"]


def _of_sagemaker(deployment: Deployment, operation: str, parameters: Members) -> list[str]:
    if parameters.get("ResourceArn"):  # tags
        return [str(parameters["ResourceArn"])]
    if parameters.get(_LISTED):
        return [_sagemaker_arn(deployment, "model-package", str(each)) for each in parameters[_LISTED]]
    match = _VERB.fullmatch(operation)
    kind = _KINDS.get(match[1]) if match else None
    if match is None or kind is None:
        return []
    given = parameters.get(f"{match[1]}Name") or parameters.get(f"{match[1]}Arn")
    if given:
        return [_sagemaker_arn(deployment, kind, str(given))]
    group = parameters.get("ModelPackageGroupName")  # of a version to be
    return [_sagemaker_arn(deployment, "model-package-group", str(group))] if group else []


def _sagemaker_arn(deployment: Deployment, kind: ResourceKind, given: str) -> str:
    """The one ARN of what is named, however the ARN that was given is written: operations read its end."""
    name = given.split(":", 5)[-1].partition("/")[2] if given.startswith("arn:") else given
    return deployment.arn(kind, name)


def _of_logs(deployment: Deployment, operation: str, parameters: Members) -> list[str]:
    """`…:log-group:NAME:log-stream:STREAM`, either of them empty where none is named, as CloudWatch Logs has it."""
    prefix = f"arn:{deployment.partition}:logs:{deployment.region}:{deployment.account}:log-group:"
    group = str(parameters.get("logGroupName") or parameters.get("logGroupIdentifier") or "").removeprefix(prefix)
    return [f"{prefix}{group}:log-stream:{parameters.get('logStreamName') or ''}"]


def _of_roles(deployment: Deployment, operation: str, parameters: Members) -> list[str]:
    named = parameters.get("RoleArn") or parameters.get("PolicySourceArn")
    role = parameters.get("RoleName")
    return [str(named)] if named else [deployment.role_arn(str(role))] if role else []


_FINDERS: Final[Mapping[str, Callable[[Deployment, str, Members], list[str]]]] = {
    "sagemaker": _of_sagemaker,
    "sagestone": _of_sagemaker,
    "logs": _of_logs,
    "sts": _of_roles,
    "iam": _of_roles,
}
