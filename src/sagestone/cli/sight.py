"""Something that a command sees while it watches a service."""

from dataclasses import dataclass
from typing import Literal

JobKind = Literal["training", "transform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Something new: a status of the algorithm or a job, a log line, or a metric's value (`at` in epoch seconds)."""

    kind: Literal["algorithm", "training", "transform", "log", "metric"]
    at: float
    subject: str  # the algorithm, the job, or the log stream
    text: str
    status: str = ""
