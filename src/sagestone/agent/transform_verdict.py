"""Why a transform job failed, in the sentence that becomes its FailureReason."""

from sagestone.agent.transform_objects import ObjectList
from sagestone.containers.runtime import Exit
from sagestone.domain.assignment import TransformAssignment
from sagestone.domain.event import Outcome
from sagestone.domain.failure import Failure, shortened
from sagestone.inference.invoke import ContainerEnded
from sagestone.inference.ready import PING_FAILED

_SEE_LOGS = "See job logs for more information"
_ROOM = 900  # characters for the sentence, so that what follows it is seen within the longest FailureReason


def job_failure(objects: ObjectList) -> Failure | None:
    """The first object that failed, and how many did; None when none did."""
    first = objects.first_failure
    if first is None:
        return None
    counted = f". {objects.failures} of {objects.total} objects failed" if objects.total > 1 else ""
    return Failure(fault=first.fault, message=f"{_cut(first.message)}{counted}. {_SEE_LOGS}")


def not_ready(why: str) -> Failure:
    """The container never answered /ping with 200."""
    return Failure(fault="algorithm", message=_cut(f"{PING_FAILED}: {why}"))


def ended_early(assignment: TransformAssignment, error: ContainerEnded, last_words: str) -> Outcome:
    """The container ended by itself, before it was ready or with requests still to answer."""
    if error.where:
        message = (
            f"The {error.subject} ended with {_code(assignment, error.exit)} while it had to answer for {error.where}"
        )
    else:
        message = f"{PING_FAILED}: the {error.subject} ended with {_code(assignment, error.exit)} before it was ready"
    failure = Failure(fault="algorithm", message=f"{_cut(message + last_words)}. {_SEE_LOGS}")
    return Outcome(ending="Failed", exit_code=error.exit.code, failure=failure)


def _code(assignment: TransformAssignment, exit_: Exit) -> str:
    if not exit_.out_of_memory:
        return f"exit code {exit_.code}"
    return f"exit code {exit_.code}, out of memory: {assignment.job.instance_type} was not enough, use a larger one,"


def _cut(text: str) -> str:
    return shortened(text, _ROOM)
