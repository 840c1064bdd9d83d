"""DeleteAlgorithm."""

from sagestone.domain.transition import TransitionRefused, request_delete
from sagestone.operations.algorithms.algorithm_names import no_such_algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.store.interface import NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def delete_algorithm(deps: Dependencies, call: Call) -> None:
    """Put the algorithm into Deleting; the controller takes it away.

    Raises ValidationException where there is none, and while it is Pending, InProgress or Deleting.
    """
    name = call.parameters["AlgorithmName"]
    try:
        deps.store.change_algorithm(name, request_delete)
    except NotFound:
        raise no_such_algorithm(deps.deployment, name) from None
    except TransitionRefused as refusal:
        raise ValidationException(str(refusal)) from None
    deps.hint()
