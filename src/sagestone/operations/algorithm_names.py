"""Finds the algorithm that a caller means by a name or an ARN."""

from sagestone.domain.names import Deployment
from sagestone.wire.errors import ValidationException


def algorithm_name(deployment: Deployment, name_or_arn: str) -> str:
    """The bare name; raises ValidationException for an ARN of another region, account or kind of resource."""
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    _, partition, _, region, account, resource = name_or_arn.split(":", 5)
    kind, _, name = resource.partition("/")
    if region != deployment.region:
        raise ValidationException(f"ARN should be scoped to correct region: {deployment.region}")
    if (partition, account, kind) != (deployment.partition, deployment.account, "algorithm"):
        raise no_such_algorithm(deployment, name_or_arn)
    return name


def no_such_algorithm(deployment: Deployment, as_given: str) -> ValidationException:
    """The service's words for an algorithm that does not exist; it nests an ARN that was given."""
    if as_given.startswith(deployment.arn("algorithm", "")):
        return ValidationException(f"Algorithm {as_given} does not exist.")
    return ValidationException(f"Algorithm {deployment.arn('algorithm', as_given)} does not exist.")
