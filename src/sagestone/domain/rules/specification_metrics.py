"""Rules of MetricDefinitions and SupportedTuningJobObjectiveMetrics that the service model cannot say."""

from collections.abc import Iterator

from sagestone.domain.metric_regex import regex_objection
from sagestone.domain.place import Place, repeated_members
from sagestone.shapes.violation import Violation


def metric_violations(training: Place) -> Iterator[Violation]:
    """Metric names are unique, their expressions compile and have a group, objectives are among them."""
    definitions = training.member("MetricDefinitions")
    yield from repeated_members(definitions, "Name", "metric name")
    for item in definitions.elements():
        expression = item.member("Regex")
        reason = regex_objection(expression.value)
        if reason is not None:
            yield expression.breaks(reason)
    names = [item.value["Name"] for item in definitions.elements()]
    for objective in training.member("SupportedTuningJobObjectiveMetrics").elements():
        metric = objective.member("MetricName")
        if metric.value not in names:
            yield metric.breaks(f"Member must be the name of one of the MetricDefinitions: [{', '.join(names)}]")
