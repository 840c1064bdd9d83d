"""A job and what was reserved for it become one assignment per instance."""

from collections.abc import Sequence
from dataclasses import dataclass

from sagestone.domain.assignment import Assignment, Host, Limits, TrainingAssignment, TransformAssignment
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transform_job import TransformJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an instance waits for its container, in seconds; the service's settings say it."""

    training_stop_seconds: float = 120.0
    transform_stop_seconds: float = 30.0
    ping_patience_seconds: float = 240.0


def assign(
    job: TrainingJob | TransformJob,
    *,
    limits: Sequence[Limits],
    network: str | None,
    region: str,
    patience: Patience | None = None,
) -> tuple[Assignment, ...]:
    """An assignment per instance, algo-1 first; `limits` has one entry per instance, else ValueError.

    Instances of a transform have nothing to say to each other: `network` is for those of a training job. Labels are the
    placement's: it knows whose machine it is.
    """
    count = job.spec.instance_count
    if len(limits) != count:
        raise ValueError(f"{job.spec.key} has {count} instance(s), but limits for {len(limits)} were reserved")
    waits = patience or Patience()
    assignments: list[Assignment] = []
    for number, limit in enumerate(limits, start=1):
        host = Host(number=number, count=count)
        if isinstance(job, TrainingJob):
            assignments.append(
                TrainingAssignment(
                    job=job.spec, host=host, region=region, created_at=job.created_at, limits=limit, network=network,
                    stop_grace_seconds=waits.training_stop_seconds, used_seconds=job.used_seconds,
                )
            )  # fmt: skip
        else:
            assignments.append(
                TransformAssignment(
                    job=job.spec, host=host, region=region, created_at=job.created_at, limits=limit,
                    ping_patience_seconds=waits.ping_patience_seconds,
                    stop_grace_seconds=waits.transform_stop_seconds,
                )
            )  # fmt: skip
    return tuple(assignments)
