"""What may be taken away by age and size: rules of numbers; whether anything still needs it is asked elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DAY: Final = 86400.0
GB: Final = 1024**3

#: However a setting reads, nothing younger than this is taken away for its age or size.
YOUNGEST_SECONDS: Final = 3600.0


#: For what goes by another rule than its age: as little as there may be.
NO_AGE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long things are kept, in days, and how much of logs, in GB; 0: for ever, as much as there is."""

    logs_days: float = 0.0
    logs_gb: float = 0.0
    images_days: float = 0.0
    uploads_days: float = 7.0
    cache_days: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """Something with a size (bytes) that changed last at that time (epoch seconds)."""

    name: str
    size: int
    changed_at: float


def too_old(changed_at: float, days: float, now: float) -> bool:
    """Whether something that changed then is to go by its age."""
    return days > 0 and now - changed_at > max(days * DAY, YOUNGEST_SECONDS)


def too_many(kept: Sequence[Aged], limit_gb: float, now: float) -> list[Aged]:
    """The oldest ones without which the others have no more than the limit; young ones stay whatever the sum is."""
    excess = sum(each.size for each in kept) - limit_gb * GB
    going: list[Aged] = []
    if limit_gb <= 0:
        return going
    for each in sorted(kept, key=lambda each: each.changed_at):
        if excess <= 0 or now - each.changed_at <= YOUNGEST_SECONDS:
            break
        going.append(each)
        excess -= each.size
    return going
