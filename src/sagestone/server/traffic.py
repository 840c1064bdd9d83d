"""Counts requests by operation and outcome, and how long they took.

It counts on the server's loop alone, so without a lock; whoever shows the numbers may do so from any thread.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

#: Upper bounds in seconds: from a Describe out of memory to an object of some gigabytes.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


@dataclass(slots=True)
class Times:
    """How long the requests of one operation took: how many by bound (not added up), the rest last, and the sum."""

    slots: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Traffic:
    """What was answered so far, by (service, operation, code): what we serve and answer, never what a caller wrote."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], int] = {}
        self._times: dict[tuple[str, str], Times] = {}

    def count(self, service: str, operation: str, code: str, seconds: float) -> None:
        """One answer more; `code` is the error's, "OK" for none."""
        outcome = (service, operation, code)
        self._answers[outcome] = self._answers.get(outcome, 0) + 1
        times = self._times.get((service, operation))
        if times is None:
            times = self._times[(service, operation)] = Times()
        times.slots[bisect_left(BOUNDS, seconds)] += 1
        times.seconds += seconds

    def answers(self) -> Sequence[tuple[tuple[str, str, str], int]]:
        """How many answers of each kind; from any thread."""
        return sorted(self._answers.copy().items())

    def times(self) -> Sequence[tuple[tuple[str, str], Times]]:
        """A copy of how long they took, by (service, operation); from any thread."""
        known = self._times.copy().items()
        copies = [(name, Times(list(each.slots), each.seconds)) for name, each in known]
        return sorted(copies, key=lambda entry: entry[0])
