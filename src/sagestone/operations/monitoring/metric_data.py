"""GetMetricData of CloudWatch, for the metrics of training jobs and of the hosts of jobs."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.metric_percentiles import distributions, percentile_of
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.monitoring.metric_statistics import STATISTICS, measured, percentiles_unknown, samples, span
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterCombination, InvalidParameterValue

#: Most values of one answer (documented); there is no second page here.
MOST_VALUES = 100_800


def get_metric_data(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A result for each query, newest value first unless ScanBy says otherwise."""
    given = call.parameters
    if given.get("NextToken"):
        raise InvalidParameterValue("The parameter NextToken is none that was given: every answer is whole.")
    if given["StartTime"] >= given["EndTime"]:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    _check_queries(given["MetricDataQueries"])
    results = [_result(deps, given, query) for query in given["MetricDataQueries"] if query.get("ReturnData", True)]
    most = given.get("MaxDatapoints") or MOST_VALUES
    if sum(len(result["Values"]) for result in results) > most:
        raise InvalidParameterCombination(
            f"The queries have more than {most} values, and answers are not split into pages here: ask for longer "
            "periods or less time."
        )
    return {"MetricDataResults": results, "Messages": []}


def _check_queries(queries: list[Mapping[str, Any]]) -> None:
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise InvalidParameterValue("The values for parameter id in MetricDataQueries are not unique.")
    for complaint in (text for query in queries for text in _complaints(query)):
        raise InvalidParameterValue(complaint)


def _complaints(query: Mapping[str, Any]) -> Iterator[str]:
    name = f"MetricDataQueries: query {query['Id']}"
    for member in ("Expression", "AccountId"):
        if query.get(member):
            yield f"{name}: {member} is not supported yet; ask for a MetricStat of this account"
    if not query.get("MetricStat"):
        yield f"{name} needs a MetricStat"
    elif query["MetricStat"]["Stat"] not in STATISTICS and percentile_of(query["MetricStat"]["Stat"]) is None:
        shown = ", ".join(STATISTICS)
        yield f"{name}: Stat {query['MetricStat']['Stat']} is not supported yet; use one of {shown}, p0 to p100"


def _result(deps: Dependencies, given: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, Any]:
    statistic = query["MetricStat"]
    start, end, period = span(given["StartTime"], given["EndTime"], statistic["Period"])
    metric = {**statistic["Metric"], "Unit": statistic.get("Unit")}
    if not metric.get("MetricName"):
        raise InvalidParameterValue(f"MetricDataQueries: query {query['Id']} names no metric")
    percent = percentile_of(statistic["Stat"])
    unknown: list[int] = []
    if percent is None:
        value = STATISTICS[statistic["Stat"]]
        found = [(each.at, value(each)) for each in measured(deps, metric, start, end, period)]
    else:
        known, unknown = distributions(samples(deps, metric, start, end), period)
        found = [(each.at, each.percentile(percent)) for each in known]
    if given.get("ScanBy") != "TimestampAscending":
        found.reverse()
    result: dict[str, Any] = {
        "Id": query["Id"],
        "Label": query.get("Label") or metric["MetricName"],
        "Timestamps": [at for at, _ in found],
        "Values": [value for _, value in found],
        "StatusCode": "PartialData" if unknown else "Complete",
    }
    if unknown:
        told = percentiles_unknown(metric["MetricName"], unknown)
        result["Messages"] = [{"Code": "PercentilesUnknown", "Value": told}]
    return result
