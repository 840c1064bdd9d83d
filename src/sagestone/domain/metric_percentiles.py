"""Percentiles of metrics, as far as they are known: of each second only number, sum, smallest and largest are kept."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sagestone.domain.metric_statistics import MetricSample

_FORM = re.compile(r"p(100|[0-9]{1,2}(?:\.[0-9]{1,10})?)")


def percentile_of(statistic: str) -> float | None:
    """What `p99.9` asks for; None for what is no percentile from p0 to p100."""
    found = _FORM.fullmatch(statistic)
    return float(found[1]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Every value of a period with how often it was measured, by value. `at` is the period's beginning."""

    at: int
    counts: tuple[tuple[float, int], ...]

    def percentile(self, percent: float) -> float:
        """The smallest value that at least so many percent of the values do not exceed (nearest rank)."""
        rank = max(1, math.ceil(percent / 100 * sum(count for _, count in self.counts)))
        for value, count in self.counts:
            rank -= count
            if rank <= 0:
                return value
        return self.counts[-1][0]


def distributions(samples: Iterable[MetricSample], period: int) -> tuple[list[Distribution], list[int]]:
    """Those of the periods whose values are all known, and the beginnings of the others; in order of time.

    The values of a second are known when it has one or two, or when all are equal.
    """
    counts: dict[int, dict[float, int] | None] = {}
    for sample in samples:
        at = sample.at - sample.at % period
        known = counts.setdefault(at, {})
        values = _values(sample)
        if known is None or values is None:
            counts[at] = None
            continue
        for value, count in values:
            known[value] = known.get(value, 0) + count
    periods = sorted(counts.items())
    found = [Distribution(at=at, counts=tuple(sorted(known.items()))) for at, known in periods if known is not None]
    return found, [at for at, known in periods if known is None]


def _values(sample: MetricSample) -> tuple[tuple[float, int], ...] | None:
    if sample.smallest == sample.largest:
        return ((sample.smallest, sample.samples),)
    if sample.samples == 2:
        return ((sample.smallest, 1), (sample.largest, 1))
    return None
