"""What the service's log tells of a job: each change of its status, by its ARN. Why it failed, Describe tells."""

import logging

from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob

_LOG = logging.getLogger("sagestone.job")

Job = TrainingJob | TransformJob


def tell_change(before: Job, after: Job) -> None:
    """Log the change of status, if there was one."""
    if _shown(before) == _shown(after):
        return
    status = _shown(after)
    facts = {"job": after.spec.arn, "status": after.status, "runtime": after.runtime or ""}
    if isinstance(after, TrainingJob):
        facts["secondary_status"] = after.secondary_status
    _LOG.info("%s is %s", after.spec.key, status, extra={"facts": facts})


def _shown(job: Job) -> str:
    return f"{job.status} ({job.secondary_status})" if isinstance(job, TrainingJob) else job.status
