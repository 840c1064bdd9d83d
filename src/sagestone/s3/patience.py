"""Asking again while S3 does not answer: a store that is started anew must not cost a job that ran for hours."""

import time
from collections.abc import Callable
from typing import TypeVar

from sagestone.s3.client import S3Unreachable

Result = TypeVar("Result")

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0


class Tries:
    """The tries of one thing: given up when nothing but failures came for `seconds` (0: at the first)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.went_well()

    def went_well(self) -> None:
        """Something came: patience begins anew."""
        self._failing_since: float | None = None
        self._pause = _FIRST_PAUSE_SECONDS

    def failed(self, failure: S3Unreachable) -> None:
        """Wait until it is time for the next try; raises the failure when there is none."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since >= self._seconds:
            raise failure
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)


def patiently(seconds: float, ask: Callable[[], Result]) -> Result:
    """What `ask` says, which may be asked twice; raises its S3Unreachable when the time is over, all else at once."""
    tries = Tries(seconds)
    while True:
        try:
            return ask()
        except S3Unreachable as failure:
            tries.failed(failure)
