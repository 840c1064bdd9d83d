"""The time line of a training job: its secondary statuses, one after the other."""

from dataclasses import replace

from sagestone.domain.training_job import SecondaryStatus, TrainingJob, Transition
from sagestone.domain.transition.rules import TRAINING_MESSAGES


def enter(job: TrainingJob, secondary: SecondaryStatus, message: str, at: float) -> TrainingJob:
    """The job with `secondary`: a new entry of the time line, or a new message in the open one.

    One entry per run of a status; each starts when the one before ends; times never go back. TrainingStartTime is
    the first moment at or after Downloading; each run of the job has such a moment.
    """
    at = max(at, job.modified_at)
    open_entry = job.transitions[-1]
    last: tuple[Transition, ...]
    if open_entry.status == secondary:
        last = (replace(open_entry, message=message or open_entry.message),)
    else:
        text = message or TRAINING_MESSAGES[secondary]
        last = (
            replace(open_entry, ended_at=at),
            Transition(status=secondary, started_at=at, message=text),
        )
    at_work = at if secondary in ("Downloading", "Training", "Uploading") else None
    return replace(
        job,
        secondary_status=secondary,
        transitions=(*job.transitions[:-1], *last),
        started_at=at_work if job.started_at is None else job.started_at,
        run_started_at=at_work if job.run_started_at is None else job.run_started_at,
        modified_at=at,
    )
