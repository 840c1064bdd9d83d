"""InterruptTrainingJob of Sagestone itself: spot capacity is taken away when a user says so."""

from typing import cast

from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import TransitionRefused, request_interruption
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.jobs.jobs import not_found
from sagestone.store.interface import NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ValidationException


def interrupt_training_job(deps: Dependencies, call: Call) -> None:
    """Record that the job's instances are taken away; the controller does it, and the job runs again.

    Raises ValidationException where there is no such job, and for one that is no spot job or has no instances.
    """
    now = deps.clock()
    key = f"training/{call.parameters['TrainingJobName']}"
    try:
        deps.store.change_job(key, lambda job: request_interruption(cast(TrainingJob, job), now))
    except NotFound:
        raise not_found() from None
    except TransitionRefused as refusal:
        raise ValidationException(str(refusal)) from None
    deps.hint()
