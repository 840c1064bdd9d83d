"""Training metrics: what is looked for in the log and what was found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric's name and the regular expression whose first group is its value (shape MetricDefinition)."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One value of one metric, at the time of its log line (epoch seconds)."""

    name: str
    value: float
    at: float
