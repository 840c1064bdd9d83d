"""Metric values over time: kept by the second, the finest period that custom metrics have, and told by the period."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSample:
    """What was measured of one metric from `at` on (epoch seconds), for a second or for a longer period."""

    at: int
    samples: int
    total: float
    smallest: float
    largest: float

    @property
    def average(self) -> float:
        return self.total / self.samples


def by_period(samples: Iterable[MetricSample], period: int) -> list[MetricSample]:
    """The samples added up by periods of that many seconds, which begin at its multiples; in order of time."""
    periods: dict[int, MetricSample] = {}
    for sample in samples:
        at = sample.at - sample.at % period
        known = periods.get(at)
        periods[at] = MetricSample(
            at=at,
            samples=sample.samples + (known.samples if known else 0),
            total=sample.total + (known.total if known else 0.0),
            smallest=min(sample.smallest, known.smallest) if known else sample.smallest,
            largest=max(sample.largest, known.largest) if known else sample.largest,
        )
    return [periods[at] for at in sorted(periods)]
