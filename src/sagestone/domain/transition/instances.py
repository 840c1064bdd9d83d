"""What the instances of one job come to together: how far the job is, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sagestone.domain.event import Ending, InstanceEvent, Stage
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import InstanceState
from sagestone.domain.transition.rules import STAGE_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a whole job ended; `failure` is there exactly when it Failed."""

    ending: Ending
    failure: Failure | None = None


def note_event(instances: Sequence[InstanceState], event: InstanceEvent) -> tuple[InstanceState, ...] | None:
    """The states with `event` counted, or None when it was counted before (its seq, or the instance has ended).

    Raises ValueError for an instance that the job does not have. A stage never goes back: an agent that takes up its
    container tells the early ones again.
    """
    if not 1 <= event.instance <= len(instances):
        raise ValueError(f"{event.job} has {len(instances)} instance(s), there is no algo-{event.instance}")
    before = instances[event.instance - 1]
    if event.seq <= before.seq or before.outcome is not None:
        return None
    after = replace(before, seq=event.seq)
    if event.stage is not None and STAGE_RANK[event.stage] >= stage_rank(before):
        after = replace(after, stage=event.stage, message=event.message or _kept_message(before, event.stage))
    if event.outcome is not None:
        after = replace(after, outcome=event.outcome, ended_at=event.at)
    return (*instances[: event.instance - 1], after, *instances[event.instance :])


def least_advanced(instances: Sequence[InstanceState]) -> InstanceState | None:
    """The live instance that is least far, the first of equals; None when all have ended."""
    live = [instance for instance in instances if instance.outcome is None]
    return min(live, key=stage_rank) if live else None


def stage_rank(instance: InstanceState) -> int:
    """How far an instance is; one that told nothing yet is where a job begins."""
    return STAGE_RANK[instance.stage or "Starting"]


def should_stop(instances: Sequence[InstanceState]) -> bool:
    """Whether an instance ended otherwise than well while others still run: these have nothing to wait for."""
    ended = [instance.outcome for instance in instances if instance.outcome is not None]
    return len(ended) < len(instances) and any(outcome.ending != "Completed" for outcome in ended)


def verdict(instances: Sequence[InstanceState], *, stopping: bool) -> Verdict | None:
    """How the job ended, once all instances have; None before.

    The first failure (by time) is the job's. In a job that was asked to stop the exit code no longer counts, so an
    algorithm's failure is a stop; an artifact that could not be uploaded is still a failure.
    """
    outcomes = [instance.outcome for instance in instances if instance.outcome is not None]
    if len(outcomes) < len(instances):
        return None
    failed = [
        (instance.ended_at or 0.0, number, instance.outcome.failure)
        for number, instance in enumerate(instances)
        if instance.outcome is not None and instance.outcome.ending == "Failed"
    ]
    for _, _, failure in sorted(failed, key=lambda entry: entry[:2]):
        failure = failure or Failure(fault="internal", message="We encountered an internal error. Please try again.")
        if not (stopping and failure.fault == "algorithm"):
            return Verdict(ending="Failed", failure=failure)
    if stopping:
        return Verdict(ending="Stopped")
    endings = {outcome.ending for outcome in outcomes}
    for ending in ("MaxRuntimeExceeded", "Stopped", "Interrupted"):
        if ending in endings:
            return Verdict(ending=ending)
    return Verdict(ending="Completed")


def _kept_message(before: InstanceState, stage: Stage) -> str:
    return before.message if before.stage == stage else ""
