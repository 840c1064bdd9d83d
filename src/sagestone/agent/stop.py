"""Learns that the instance is to stop: someone left the `stop` file, or the time allowed is over."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

StopReason = Literal["Stopped", "MaxRuntimeExceeded", "Interrupted"]


class StopAsked(Exception):
    """Raised by `check` where work is to be broken off; `reason` is the Ending that follows."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason: StopReason = reason


class StopSignal:
    """Watches the stop file and a deadline by looking, not by waiting: one `stat` each time.

    The file's word is the reason: Interrupted, or anything else for Stopped. The first reason seen stays. `clock` is
    that of deadlines: one that nobody sets.
    """

    def __init__(self, file: Path, clock: Callable[[], float], poll_seconds: float = 0.05) -> None:
        self._file, self._clock, self._poll = file, clock, poll_seconds
        self._deadline: float | None = None
        self._reason: StopReason | None = None

    def end_at(self, deadline: float) -> None:
        """Stop with MaxRuntimeExceeded from that time on."""
        self._deadline = deadline

    def reason(self) -> StopReason | None:
        """Why to stop; None: go on."""
        if self._reason is None:
            if self._file.exists():
                self._reason = "Interrupted" if self._file.read_text().strip() == "Interrupted" else "Stopped"
            elif self._deadline is not None and self._clock() >= self._deadline:
                self._reason = "MaxRuntimeExceeded"
        return self._reason

    def check(self) -> None:
        """Raise StopAsked when there is a reason to stop."""
        reason = self.reason()
        if reason is not None:
            raise StopAsked(reason)

    def wait(self, seconds: float) -> StopReason | None:
        """Sleep that long, or until there is a reason to stop, which is returned."""
        end = time.monotonic() + seconds
        while True:
            reason = self.reason()
            left = end - time.monotonic()
            if reason is not None or left <= 0:
                return reason
            time.sleep(min(self._poll, left))
