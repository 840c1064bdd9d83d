"""GetMetricStatistics of CloudWatch, for the metrics of training jobs and of the hosts of jobs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sagestone.domain.metric_percentiles import distributions, percentile_of
from sagestone.domain.metric_statistics import MetricSample, by_period
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterCombination, InvalidParameterValue

#: Where the metrics of jobs are (documented), and the unit of those that have each dimension.
TRAINING: Final = "/aws/sagemaker/TrainingJobs"
TRANSFORM: Final = "/aws/sagemaker/TransformJobs"
NAMESPACES: Final = (TRAINING, TRANSFORM)
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
    extended, plain = given.get("ExtendedStatistics"), given.get("Statistics")
    if not extended and not plain:
        raise InvalidParameterCombination("At least one of the parameters Statistics and ExtendedStatistics is needed.")
    if extended and plain:
        raise InvalidParameterCombination("Statistics and ExtendedStatistics do not go together: ask for one of them.")
    percents = {name: _percent(name) for name in extended or ()}
    start, end, period = span(given["StartTime"], given["EndTime"], given["Period"])
    if (end - start) / period > MOST_POINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {int((end - start) // period)} datapoints, which exceeds the limit of "
            f"{MOST_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time "
            "range."
        )
    unit = unit_of(given)
    if extended:
        found, unknown = distributions(samples(deps, given, start, end), period)
        if unknown:
            raise InvalidParameterCombination(percentiles_unknown(given["MetricName"], unknown))
        values = [(each.at, {name: each.percentile(percent) for name, percent in percents.items()}) for each in found]
        told = [{"Timestamp": at, "Unit": unit, "ExtendedStatistics": each} for at, each in values]
        return {"Label": given["MetricName"], "Datapoints": told}
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
    """The periods of a metric in which something was measured; see `samples`."""
    return by_period(samples(deps, metric, start, end), period)


def samples(deps: Dependencies, metric: Mapping[str, Any], start: float, end: float) -> Sequence[MetricSample]:
    """The seconds of a metric (Namespace, MetricName, Dimensions, Unit) in which something was measured.

    Its one dimension says whose it is: TrainingJobName the job's, Host (`JOB/algo-N`, of a transform `JOB/i-…`) that
    of a host.
    """
    unit = unit_of(metric)
    if unit is None or metric.get("Unit") not in (None, unit):
        return ()
    (dimension,) = metric["Dimensions"]
    if (metric.get("Namespace"), dimension["Name"]) != place_of(dimension["Value"]):
        return ()
    return deps.store.metric_samples(dimension["Value"], metric["MetricName"], start, end)


def place_of(owner: str) -> tuple[str, str]:
    """The namespace and the dimension of what the store keeps for that owner."""
    _, slash, host = owner.partition("/")
    return (TRANSFORM if host.startswith("i-") else TRAINING), ("Host" if slash else "TrainingJobName")


def percentiles_unknown(name: str, unknown: Sequence[int]) -> str:
    """What is said of periods whose percentiles nobody knows."""
    first = datetime.fromtimestamp(unknown[0], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"The percentiles of {name} are not known in {len(unknown)} of the periods, the first of which begins at "
        f"{first}: a second in it has more than two values, of which only number, sum, smallest and largest are kept. "
        "Ask for Statistics, or for another time."
    )


def _percent(statistic: str) -> float:
    percent = percentile_of(statistic)
    if percent is None:
        raise InvalidParameterValue(
            f"The ExtendedStatistics {statistic[:64]} is not supported yet: percentiles from p0 to p100 are, as p99.9"
        )
    return percent


def unit_of(metric: Mapping[str, Any]) -> str | None:
    """The unit of metrics with those Dimensions; None where there are no such metrics."""
    dimensions = list(metric.get("Dimensions") or ())
    return UNITS.get(dimensions[0]["Name"]) if len(dimensions) == 1 else None
