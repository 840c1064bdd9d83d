"""What the facts deserve: how a validation may end after what was killed while it ran."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.crash.plan import What
from tests.crash.requests import Kind

_RESTARTS = 3  # of one agent that a service grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A kill that met a validation: the agent of one of its instances, or a server while it ran."""

    what: What
    instance: str = ""  # of an agent
    stage: str = ""
    down_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.instance} {self.stage} {self.down_seconds:.1f}".replace("  ", " ")


def complaint(kind: Kind, status: str, reason: str, hits: Sequence[Hit]) -> str | None:
    """What is wrong with that end; None when it is as it should be.

    Completed is always right. A failure must be one of ours, and have one of these causes:
    1. the agent was killed while it streamed into pipes, which cannot be repeated;
    2. the agent of one instance was killed more often than it is started again;
    3. the engine was killed, which takes containers along, or cannot be asked what became of them;
    4. a disk was full, and the reason says so: then it may be the program that failed.
    The service and the S3 server may die at any time without a job failing for it.
    """
    if status == "Completed":
        return None
    if status != "Failed":
        return f"it ended as {status}"
    if any(hit.what in ("disk", "s3-disk") for hit in hits) and re.search(r"(?i)no space|is full|disk", reason):
        return None
    if not re.search(r"^Internal error: .* failed: InternalServerError: ", reason):
        return f"it failed, and not by a fault of ours: {reason}"
    agents = [hit for hit in hits if hit.what == "agent"]
    if kind == "pipe" and any(hit.instance.startswith("training/") for hit in agents) and "pip" in reason:
        return None
    if any(hit.what == "engine" for hit in hits):
        return None
    times = Counter(hit.instance for hit in agents)
    if f"ended {_RESTARTS + 1} times" in reason and max(times.values(), default=0) > _RESTARTS:
        return None
    return f"it failed without need: {reason}"
