"""Finds the resource that a caller means by a name or an ARN, and says in the service's words that it is not there."""

from collections.abc import Mapping
from typing import Final

from sagestone.domain.names import Deployment, ResourceKind
from sagestone.wire.errors import ValidationException

#: How the messages of the service call a kind of resource.
_TITLES: Final[Mapping[ResourceKind, str]] = {
    "algorithm": "Algorithm",
    "model-package": "ModelPackage",
    "model-package-group": "ModelPackageGroup",
}


def resource_name(deployment: Deployment, kind: ResourceKind, name_or_arn: str) -> str:
    """The bare name; raises ValidationException for an ARN of another region, account or kind of resource."""
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    _, partition, _, region, account, resource = name_or_arn.split(":", 5)
    given_kind, _, name = resource.partition("/")
    if region != deployment.region:
        raise ValidationException(f"ARN should be scoped to correct region: {deployment.region}")
    if (partition, account, given_kind) != (deployment.partition, deployment.account, kind):
        raise does_not_exist(deployment, kind, name_or_arn)
    return name


def does_not_exist(deployment: Deployment, kind: ResourceKind, as_given: str) -> ValidationException:
    """The service's words for a resource that does not exist; it nests an ARN of somewhere else."""
    arn = as_given if as_given.startswith(deployment.arn(kind, "")) else deployment.arn(kind, as_given)
    return ValidationException(f"{_TITLES[kind]} {arn} does not exist.")
