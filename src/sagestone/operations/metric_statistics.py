"""GetMetricStatistics of CloudWatch, for the metrics of training jobs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sagestone.domain.metric_statistics import MetricSample, by_period
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterCombination, InvalidParameterValue

#: Where training jobs' metrics are (documented), and the unit of those that have each dimension.
NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
UNITS: Final = {"TrainingJobName": "None", "Host": "Percent"}
#: Most points of one answer (documented).
MOST_POINTS: Final = 1440
_SHORT_PERIODS: Final = (1, 5, 10, 20, 30)

#: A statistic's value of a period.
STATISTICS: Final[Mapping[str, Callable[[MetricSample], float]]] = {
    "SampleCount": lambda each: float(each.samples),
    "Average": lambda each: each.average,
    "Sum": lambda each: each.total,
    "Minimum": lambda each: each.smallest,
    "Maximum": lambda each: each.largest,
}


def get_metric_statistics(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """One point for each period in which something was measured; an unknown metric has none."""
    given = call.parameters
    if given.get("ExtendedStatistics"):
        raise InvalidParameterValue("ExtendedStatistics is not supported yet: percentiles are not kept; use Statistics")
    if not given.get("Statistics"):
        raise InvalidParameterCombination("At least one of the parameters Statistics and ExtendedStatistics is needed.")
    start, end, period = span(given["StartTime"], given["EndTime"], given["Period"])
    if (end - start) / period > MOST_POINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {int((end - start) // period)} datapoints, which exceeds the limit of "
            f"{MOST_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time "
            "range."
        )
    unit = unit_of(given)
    points = [
        {"Timestamp": each.at, "Unit": unit, **{name: STATISTICS[name](each) for name in given["Statistics"]}}
        for each in measured(deps, given, start, end, period)
    ]
    return {"Label": given["MetricName"], "Datapoints": points}


def span(start: float, end: float, period: int) -> tuple[float, float, int]:
    """The time asked for, its beginning moved to that of its period; raises the refusals of CloudWatch."""
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    if period not in _SHORT_PERIODS and period % 60:
        raise InvalidParameterValue("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60.")
    return start - start % period, end, period


def measured(
    deps: Dependencies, metric: Mapping[str, Any], start: float, end: float, period: int
) -> Sequence[MetricSample]:
    """The periods of a metric (Namespace, MetricName, Dimensions, Unit) in which something was measured.

    Its one dimension says whose it is: TrainingJobName the job's, Host (`JOB/algo-N`) that of a host.
    """
    unit = unit_of(metric)
    if metric.get("Namespace") != NAMESPACE or unit is None or metric.get("Unit") not in (None, unit):
        return ()
    (dimension,) = metric["Dimensions"]
    if ("/" in dimension["Value"]) != (dimension["Name"] == "Host"):
        return ()
    return by_period(deps.store.metric_samples(dimension["Value"], metric["MetricName"], start, end), period)


def unit_of(metric: Mapping[str, Any]) -> str | None:
    """The unit of metrics with those Dimensions; None where there are no such metrics."""
    dimensions = list(metric.get("Dimensions") or ())
    return UNITS.get(dimensions[0]["Name"]) if len(dimensions) == 1 else None
