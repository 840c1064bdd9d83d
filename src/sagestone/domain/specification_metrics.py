"""Rules of MetricDefinitions and SupportedTuningJobObjectiveMetrics that the service model cannot say."""

from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from sagestone.domain.place import Place, repeated
from sagestone.shapes.violation import Violation


def metric_violations(training: Place) -> Iterator[Violation]:
    """Metric names are unique, their expressions compile and have a group, objectives are among them."""
    definitions = training.member("MetricDefinitions")
    yield from repeated((item.member("Name") for item in definitions.elements()), "metric name")
    for item in definitions.elements():
        yield from _regex_violations(item.member("Regex"))
    names = [item.value["Name"] for item in definitions.elements()]
    for objective in training.member("SupportedTuningJobObjectiveMetrics").elements():
        metric = objective.member("MetricName")
        if metric.value not in names:
            yield metric.breaks(f"Member must be the name of one of the MetricDefinitions: [{', '.join(names)}]")


def _regex_violations(place: Place) -> Iterator[Violation]:
    try:
        compiled = regex.compile(place.value)
    except regex.error as error:
        yield place.breaks(f"Member must be a regular expression that compiles: {error}")
        return
    if compiled.groups == 0:
        yield place.breaks("Member must have a group in parentheses that catches the value, such as loss=([0-9.]+)")
