"""What the operations on training and transform jobs share."""

from sagestone.domain.transition import TransitionRefused, request_stop
from sagestone.operations.dependencies import Dependencies
from sagestone.store.interface import NotFound
from sagestone.wire.errors import ResourceInUse, ValidationException


def stop_job(deps: Dependencies, key: str) -> None:
    """Record the wish to stop; the controller carries it out. Raises ValidationException in the service's words."""
    now = deps.clock()
    try:
        deps.store.change_job(key, lambda job: request_stop(job, now))
    except NotFound:
        raise not_found() from None
    except TransitionRefused as refusal:
        raise ValidationException(str(refusal)) from None
    deps.hint()


def not_found() -> ValidationException:
    """The service's words for a job that does not exist; waiters take the code as a failure."""
    return ValidationException("Requested resource not found.")


def name_taken(arn: str) -> ResourceInUse:
    """The service's words for a job name that is taken."""
    return ResourceInUse(
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    )
