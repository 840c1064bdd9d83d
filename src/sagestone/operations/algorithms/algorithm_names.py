"""Finds the algorithm that a caller means by a name or an ARN."""

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.names import Deployment
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.resource_names import does_not_exist, resource_name
from sagestone.wire.errors import ValidationException


def algorithm_name(deployment: Deployment, name_or_arn: str) -> str:
    """The bare name; raises ValidationException for an ARN of another region, account or kind of resource."""
    return resource_name(deployment, "algorithm", name_or_arn)


def no_such_algorithm(deployment: Deployment, as_given: str) -> ValidationException:
    """The service's words for an algorithm that does not exist; it nests an ARN that was given."""
    return does_not_exist(deployment, "algorithm", as_given)


def completed_algorithm(deps: Dependencies, name_or_arn: str, needed_by: str) -> Algorithm:
    """The algorithm, ready to be used by `needed_by` ("a training job"); raises ValidationException where it is not."""
    algorithm = deps.store.algorithm(algorithm_name(deps.deployment, name_or_arn))
    if algorithm is None:
        raise no_such_algorithm(deps.deployment, name_or_arn)
    if algorithm.status == "Completed":
        return algorithm
    reason = algorithm.validation.failure_reason if algorithm.validation else None
    why = f" Its validation failed: {reason}" if reason else ""
    raise ValidationException(
        f"Algorithm {algorithm.arn} is in {algorithm.status} status; {needed_by} needs one in Completed status.{why}"
    )
