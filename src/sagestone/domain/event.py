"""What an instance tells: the only thing that climbs from a job to the statuses above it."""

from dataclasses import dataclass
from typing import Literal

from sagestone.domain.failure import Failure
from sagestone.domain.metric import MetricPoint

#: Stages of an instance, in order. They are SecondaryStatus words; a transform instance passes the same ones
#: (Downloading = model, Training = invocations, Uploading = the last results).
Stage = Literal["Starting", "Downloading", "Training", "Uploading"]
#: Interrupted: the instance was taken away; its job runs again. MaxWaitTimeExceeded: a job's ending, no instance's.
Ending = Literal["Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded", "Interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an instance ended. `exit_code` is the container's, where one ran; `failure` is there exactly when Failed."""

    ending: Ending
    exit_code: int | None = None
    failure: Failure | None = None
    artifact_uri: str | None = None  # what was really uploaded: the model archive's URI


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceEvent:
    """One event of one instance; (job, instance, seq) is its identity, so a repeated one changes nothing.

    Exactly one of four things is told: the instance entered `stage` (or has a new `message` inside it), its program
    measured `metrics`, its host was so busy (`host_metrics`), or it ended with `outcome`, which is the last event.
    """

    job: str  # the job's key, "training/NAME" or "transform/NAME"
    instance: int  # 1 … n: the n of algo-n
    seq: int  # 1, 2, 3 … without gaps for each instance
    at: float  # epoch seconds
    stage: Stage | None = None
    message: str = ""
    metrics: tuple[MetricPoint, ...] = ()
    host_metrics: tuple[MetricPoint, ...] = ()
    outcome: Outcome | None = None
