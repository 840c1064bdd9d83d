"""Finds metrics in the lines of a training log, as the service does."""

import re
import struct
from collections.abc import Sequence
from typing import Final

from sagestone.domain.metric import MetricDefinition, MetricPoint

_NUMBER: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_UNBOUNDED: Final = re.compile(r"\)[*+{]")  # a repeated group
_PATIENCE_SECONDS: Final = 0.05  # for one expression on one line
_MOST_TIMEOUTS: Final = 20
_QUICK_STEPS: Final = 10_000_000  # that many can be done without looking at the clock


class MetricScraper:
    """The metric expressions of one job.

    An expression is searched anywhere in a line whose control characters are already escaped (TAB is `#011`); the value
    is the number at the start of its first group (`64.3#011…` is 64.3), rounded to a 32-bit float; what is no finite
    number is passed over silently. An expression that takes longer than 50 ms on 20 lines is given up: `given_up`
    names its metric.
    """

    def __init__(self, definitions: Sequence[MetricDefinition]) -> None:
        import regex  # type: ignore[import-untyped]  # not before it is needed: it takes a tenth of a start

        self._searches = [
            (definition.name, regex.compile(definition.regex), longest_quick_line(definition.regex))
            for definition in definitions
        ]
        self._timeouts: dict[str, int] = {}
        self.given_up: list[str] = []

    def find(self, line: str, at: float) -> list[MetricPoint]:
        """The points of one line, in the order of the definitions."""
        points = []
        for name, pattern, quick in self._searches:
            try:
                patience = None if len(line) <= quick else _PATIENCE_SECONDS  # watching the clock makes it 5 × slower
                match = pattern.search(line, timeout=patience)
            except TimeoutError:
                self._count_timeout(name)
                continue
            value = number(match.group(1)) if match and pattern.groups and match.group(1) is not None else None
            if value is not None:
                points.append(MetricPoint(name=name, value=value, at=at))
        return points

    def _count_timeout(self, name: str) -> None:
        self._timeouts[name] = self._timeouts.get(name, 0) + 1
        if self._timeouts[name] >= _MOST_TIMEOUTS:
            self._searches = [search for search in self._searches if search[0] != name]
            self.given_up.append(name)


def longest_quick_line(expression: str) -> int:
    """How long a line may be so that the expression cannot take long on it; 0 where that cannot be told.

    Without a repeated group (nor other constructs in `(?…`), a search takes at most about n to the power of the number
    of repetitions plus one steps on a line of n characters.
    """
    if _UNBOUNDED.search(expression) or "(?" in expression.replace("(?:", ""):
        return 0
    repetitions = sum(expression.count(sign) for sign in "*+{")
    return int(_QUICK_STEPS ** (1 / (repetitions + 1)))


def number(text: str) -> float | None:
    """The number that the text starts with, as a 32-bit float has it; None where there is none or it is too large."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    try:
        rounded: float = struct.unpack("f", struct.pack("f", float(match.group(1))))[0]
    except OverflowError:
        return None
    return rounded if rounded - rounded == 0 else None
