"""DescribeAlgorithm."""

from sagestone.operations.algorithms.algorithm_names import algorithm_name, no_such_algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call


def describe_algorithm(deps: Dependencies, call: Call) -> bytes:
    """The stored answer, passed through as it is; by name or ARN. Raises ValidationException where there is none."""
    given = call.parameters["AlgorithmName"]
    document = deps.store.algorithm_document(algorithm_name(deps.deployment, given))
    if document is None:
        raise no_such_algorithm(deps.deployment, given)
    return document
