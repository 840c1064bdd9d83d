"""Ends what ran when a backup was made: its instances are not there any more, and it must not begin anew unasked."""

from pathlib import Path
from typing import cast

from sagestone.compose.stores import open_state
from sagestone.domain.failure import Failure
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import end_pool, fail, finish_stopping
from sagestone.store.interface import Job


def end_what_ran(state: Path, made_at: str, now: float) -> list[str]:
    """Names of the jobs in the database that had instances, and end now with a reason.

    A job that still waited for capacity goes on waiting. One that is to be tried again after failures of ours
    (RetryStrategy) is: its next run begins from its checkpoints. Validations end by their jobs, as ever.
    """
    store = open_state(state)
    ended = []
    text = (
        f"The service was restored from a backup of {made_at}, made while this job was running; its instances are "
        "gone. Create the job again."
    )
    try:
        for key in store.unfinished_jobs():
            kind, _, name = key.partition("/")
            job: Job | None = store.training_job(name) if kind == "training" else store.transform_job(name)
            if job is None or job.status == "Deleting":
                continue
            if isinstance(job, TrainingJob) and job.warm_pool is not None and job.warm_pool.status == "Available":
                store.change_job(key, lambda known: end_pool(cast(TrainingJob, known), now))
            elif job.runtime is not None and not (isinstance(job, TrainingJob) and job.run_over):
                store.change_job(key, lambda known: _end(known, Failure(fault="internal", message=text), now))
                ended.append(name)
    finally:
        store.close()
    return ended


def _end(job: Job, failure: Failure, now: float) -> Job:
    return finish_stopping(job, now) if job.status == "Stopping" else fail(job, failure, now)
