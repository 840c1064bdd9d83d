"""A warm pool: the instances of a training job that has ended, kept for a matching one that comes soon."""

from dataclasses import dataclass
from typing import Literal

WarmPoolStatus = Literal["InUse", "Available", "Reused", "Terminated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPool:
    """What a job with KeepAlivePeriodInSeconds shows of its pool (shape WarmPoolStatus); times are epoch seconds."""

    keep_alive_seconds: int
    status: WarmPoolStatus = "InUse"
    retained_at: float | None = None  # when the job had ended and the pool became Available
    ended_at: float | None = None  # when it was Reused or Terminated
    reused_by: str | None = None

    @property
    def retained_seconds(self) -> int:
        """How long it was kept without a job; 0 while it is not over, and where the time of day was set back since."""
        if self.retained_at is None or self.ended_at is None:
            return 0
        return max(0, round(self.ended_at - self.retained_at))

    def has_expired(self, now: float) -> bool:
        """Whether an Available pool was kept as long as it was to be."""
        return self.retained_at is not None and now >= self.retained_at + self.keep_alive_seconds
