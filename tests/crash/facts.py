"""What the facts deserve: how a validation or a job may end after what was killed while it ran."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.crash.plan import What
from tests.crash.scenario import RETRIES, Scenario

_RESTARTS = 3  # of one agent that a service grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A kill that met a scenario: the agent of one of its instances, or a server while it ran."""

    what: What
    instance: str = ""  # of an agent; the job that was interrupted
    stage: str = ""
    down_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.instance} {self.stage} {self.down_seconds:.1f}".replace("  ", " ")


def complaint(scenario: Scenario, status: str, reason: str, hits: Sequence[Hit]) -> str | None:
    """What is wrong with that end; None when it is as it should be.

    Completed is always right. A failure must be one of ours, and have one of these causes:
    1. the agent was killed while it streamed into pipes, which cannot be repeated (more often than the job is retried);
    2. the agent of one instance was killed more often than it is started again;
    3. the engine was killed, which takes containers along, or cannot be asked what became of them;
    4. a disk was full, and the reason says so: then it may be the program that failed.
    The services, the database and the S3 server may die at any time, and spot instances be taken away, without a job
    failing for it.
    """
    if status == "Completed":
        return None
    if status != "Failed":
        return f"it ended as {status}"
    if any(hit.what in ("disk", "s3-disk") for hit in hits) and re.search(r"(?i)no space|is full|disk", reason):
        return None
    ours = r"^Internal error: .* failed: InternalServerError: " if scenario.kind == "validation" else "^InternalServerE"
    if not re.search(ours, reason):
        return f"it failed, and not by a fault of ours: {reason}"
    agents = [hit for hit in hits if hit.what == "agent"]
    of_training = sum(hit.instance.startswith("training/") for hit in agents)
    retries = RETRIES if scenario.kind == "retried" else 0
    if scenario.mode == "Pipe" and of_training > retries and re.search("pip|stream", reason):
        return None
    if any(hit.what == "engine" for hit in hits):
        return None
    times = Counter(hit.instance for hit in agents)
    if f"ended {_RESTARTS + 1} times" in reason and max(times.values(), default=0) > _RESTARTS:
        return None
    return f"it failed without need: {reason}"
