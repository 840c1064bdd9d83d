"""CloudWatch's metric operations over a real store: what jobs measured, by the period."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.event import InstanceEvent
from sagestone.domain.metric import MetricPoint
from sagestone.domain.metric_percentiles import distributions
from sagestone.domain.metric_statistics import MetricSample, by_period
from sagestone.domain.transform_job import instance_id
from sagestone.domain.transition import new_training_job, new_transform_job
from sagestone.job_logs.names import TRANSFORM_GROUP
from sagestone.wire.errors import InvalidParameterCombination, InvalidParameterValue, ServiceError
from tests.documents import training_spec, transform_spec
from tests.unit.served import Served

NAMESPACE = "/aws/sagemaker/TrainingJobs"
START = 1_700_000_040.0  # a whole minute
OF_JOB = [{"Name": "TrainingJobName", "Value": "job"}]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, now=START + 200)
    for name in ("job", "other"):
        made.store.add_job(new_training_job(training_spec(name, metrics=["loss", "rate"]), START), {})
        tell(made, name, 1, ("loss", 4.0, 1.2), ("loss", 2.0, 1.9), ("loss", 1.0, 61.0), ("rate", 0.5, 3.0))
    yield made
    made.store.close()


def test_metrics_of_hosts_are_percent_and_apart_from_the_jobs(served: Served) -> None:
    busy = (MetricPoint(name="CPUUtilization", value=150.0, at=START + 5),)
    told = InstanceEvent(job="training/job", instance=1, seq=2, at=START + 100, host_metrics=busy)
    served.store.apply_event(told)
    served.store.apply_event(told)
    host = [{"Name": "Host", "Value": "job/algo-1"}]
    assert statistics(served, MetricName="CPUUtilization", Dimensions=host, Statistics=["Sum"]) == [
        {"Timestamp": START, "Sum": 150.0, "Unit": "Percent"}
    ]
    assert statistics(served, MetricName="CPUUtilization", Dimensions=host, Unit="None") == []
    assert statistics(served, MetricName="CPUUtilization") == []
    as_job = [{"Name": "TrainingJobName", "Value": "job/algo-1"}]
    assert statistics(served, MetricName="CPUUtilization", Dimensions=as_job) == []
    listed = served.call("ListMetrics", {"Dimensions": [{"Name": "Host"}]}, "monitoring")["Metrics"]
    assert listed == [{"Namespace": NAMESPACE, "MetricName": "CPUUtilization", "Dimensions": host}]
    shown = served.sagemaker("DescribeTrainingJob", TrainingJobName="job")
    assert {each["MetricName"] for each in shown["FinalMetricDataList"]} == {"loss", "rate"}


def test_hosts_of_transform_jobs_are_in_a_namespace_of_their_own(served: Served) -> None:
    spec = transform_spec("job", instances=2)  # a transform job may be called as a training job
    served.store.add_job(new_transform_job(spec, START), {})
    busy = (MetricPoint(name="MemoryUtilization", value=12.5, at=START + 5),)
    told = InstanceEvent(job="transform/job", instance=2, seq=1, at=START + 100, host_metrics=busy)
    served.store.apply_event(told)
    host = [{"Name": "Host", "Value": f"job/{instance_id(spec.arn, 2, START)}"}]
    asked = {"Namespace": TRANSFORM_GROUP, "MetricName": "MemoryUtilization", "Dimensions": host}
    assert statistics(served, **asked) == [{"Timestamp": START, "Average": 12.5, "Unit": "Percent"}]
    assert statistics(served, **{**asked, "Namespace": NAMESPACE}) == []
    for query in ({"Namespace": TRANSFORM_GROUP}, {"Dimensions": host}, {"MetricName": "MemoryUtilization"}):
        assert served.call("ListMetrics", query, "monitoring")["Metrics"] == [asked]
    of_training = served.call("ListMetrics", {"Namespace": NAMESPACE}, "monitoring")["Metrics"]
    assert {each["MetricName"] for each in of_training} == {"loss", "rate"}
    assert served.call("ListMetrics", {"Namespace": TRANSFORM_GROUP, "Dimensions": OF_JOB}, "monitoring") == {
        "Metrics": []
    }


def tell(served: Served, job: str, seq: int, *points: tuple[str, float, float]) -> None:
    metrics = tuple(MetricPoint(name=name, value=value, at=START + after) for name, value, after in points)
    served.store.apply_event(InstanceEvent(job=f"training/{job}", instance=1, seq=seq, at=START + 100, metrics=metrics))


def statistics(served: Served, **changes: Any) -> list[dict[str, Any]]:
    request = {
        "Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": OF_JOB, "StartTime": START, "EndTime": START + 120,
        "Period": 60, "Statistics": ["Average"], **changes,
    }  # fmt: skip
    given = {name: value for name, value in request.items() if value is not None}
    answer = served.call("GetMetricStatistics", given, "monitoring")
    assert answer["Label"] == request["MetricName"]
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def test_points_are_added_up_by_the_period(served: Served) -> None:
    assert statistics(served) == [
        {"Timestamp": START, "Average": 3.0, "Unit": "None"},
        {"Timestamp": START + 60, "Average": 1.0, "Unit": "None"},
    ]
    everything = ["SampleCount", "Sum", "Minimum", "Maximum"]
    assert statistics(served, Period=1, Statistics=everything)[0] == {
        "Timestamp": START + 1, "SampleCount": 2, "Sum": 6, "Minimum": 2, "Maximum": 4, "Unit": "None",
    }  # fmt: skip
    assert statistics(served, StartTime=START + 30, EndTime=START + 60)[0]["Average"] == 3.0
    assert statistics(served, EndTime=START + 60)[-1]["Timestamp"] == START


@pytest.mark.parametrize(
    "changes",
    [
        {"MetricName": "unknown"},
        {"Namespace": "AWS/EC2"},
        {"Dimensions": []},
        {"Dimensions": [{"Name": "Host", "Value": "job/algo-1"}]},
        {"Unit": "Seconds"},
        {"StartTime": START + 600, "EndTime": START + 660},
    ],
)
def test_what_was_not_measured_has_no_points(served: Served, changes: dict[str, Any]) -> None:
    assert statistics(served, **changes) == []


@pytest.mark.parametrize(
    ("changes", "refusal", "told"),
    [
        ({"EndTime": START}, InvalidParameterValue, "StartTime must be less than"),
        ({"Period": 7}, InvalidParameterValue, "must be 1, 5, 10, 20, 30, or a multiple of 60"),
        ({"Period": 1, "EndTime": START + 2000}, InvalidParameterCombination, "requested up to 2000 datapoints"),
        ({"ExtendedStatistics": ["p90"]}, InvalidParameterCombination, "do not go together"),
        ({"ExtendedStatistics": ["tm90"], "Statistics": None}, InvalidParameterValue, "tm90 is not supported yet"),
    ],
)
def test_refusals(served: Served, changes: dict[str, Any], refusal: type[ServiceError], told: str) -> None:
    with pytest.raises(refusal, match=told):
        statistics(served, **changes)


def test_a_repeated_event_is_counted_once_and_points_outlive_their_job(served: Served) -> None:
    tell(served, "job", 1, ("loss", 100.0, 1.0))
    assert statistics(served)[0]["Average"] == 3.0
    served.store.remove_job("training/job")
    assert statistics(served)[0]["Average"] == 3.0


def query(id_: str, **changes: Any) -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": OF_JOB}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}, **changes}


def data(served: Served, *queries: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    request = {"MetricDataQueries": list(queries), "StartTime": START, "EndTime": START + 120, **changes}
    results: list[dict[str, Any]] = served.call("GetMetricData", request, "monitoring")["MetricDataResults"]
    return results


def test_metric_data_comes_newest_first_unless_told_otherwise(served: Served) -> None:
    (result,) = data(served, query("a"), query("hidden", ReturnData=False))
    assert result == {
        "Id": "a", "Label": "loss", "Timestamps": [START + 60, START], "Values": [1.0, 3.0], "StatusCode": "Complete",
    }  # fmt: skip
    (result,) = data(served, query("a", Label="mine"), ScanBy="TimestampAscending")
    assert (result["Label"], result["Values"]) == ("mine", [3.0, 1.0])


@pytest.mark.parametrize(
    ("queries", "told"),
    [
        ([query("a"), query("a")], "are not unique"),
        ([{"Id": "a", "Expression": "m1 + m2"}], "query a: Expression is not supported yet"),
        ([{"Id": "a"}], "query a needs a MetricStat"),
    ],
)
def test_queries_that_are_refused(served: Served, queries: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(InvalidParameterValue, match=told):
        data(served, *queries)


def test_metrics_are_listed_by_job_and_name(served: Served) -> None:
    def listed(**filters: Any) -> list[tuple[str, str]]:
        found = served.call("ListMetrics", filters, "monitoring")["Metrics"]
        return [(each["Dimensions"][0]["Value"], each["MetricName"]) for each in found]

    assert listed() == [("job", "loss"), ("job", "rate"), ("other", "loss"), ("other", "rate")]
    assert listed(MetricName="rate", Dimensions=OF_JOB) == [("job", "rate")]
    assert listed(Dimensions=[{"Name": "TrainingJobName"}], RecentlyActive="PT3H") == listed()
    assert listed(Namespace="AWS/EC2") == listed(Dimensions=[{"Name": "Host"}]) == []
    served.now += 4 * 3600
    assert listed(RecentlyActive="PT3H") == []
    with pytest.raises(InvalidParameterValue, match="NextToken is none"):
        listed(NextToken="nonsense")


def test_a_long_list_goes_on_with_its_token(served: Served) -> None:
    tell(served, "job", 2, *((f"m{number:04}", 1.0, 2.0) for number in range(1200)))
    names: list[str] = []
    token = None
    while True:
        answer = served.call("ListMetrics", {"NextToken": token} if token else {}, "monitoring")
        names += [each["MetricName"] for each in answer["Metrics"]]
        token = answer.get("NextToken")
        if token is None:
            break
    assert len(names) == 1204
    assert names[:1201] == sorted(names[:1201])


SAMPLES = st.lists(st.tuples(st.integers(0, 10_000), st.floats(-1e6, 1e6)), max_size=50)


@given(SAMPLES, st.sampled_from([1, 5, 10, 20, 30, 60, 300, 3600]))
def test_nothing_is_lost_or_counted_twice(values: list[tuple[int, float]], period: int) -> None:
    samples = [MetricSample(at=at, samples=1, total=value, smallest=value, largest=value) for at, value in values]
    found = by_period(samples, period)
    assert sum(each.samples for each in found) == len(values)
    assert sum(each.total for each in found) == pytest.approx(sum(value for _, value in values), abs=1e-3)
    assert [each.at for each in found] == sorted({at - at % period for at, _ in values})
    for each in found:
        inside = [value for at, value in values if each.at <= at < each.at + period]
        assert (each.smallest, each.largest) == (min(inside), max(inside))


def test_percentiles_are_told_where_every_value_is_known(served: Served) -> None:
    asked = {"Statistics": None, "ExtendedStatistics": ["p0", "p50", "p99.9"], "Period": 60}
    assert statistics(served, **asked) == [
        {"Timestamp": START, "Unit": "None", "ExtendedStatistics": {"p0": 2.0, "p50": 2.0, "p99.9": 4.0}},
        {"Timestamp": START + 60, "Unit": "None", "ExtendedStatistics": {"p0": 1.0, "p50": 1.0, "p99.9": 1.0}},
    ]
    tell(served, "job", 2, ("loss", 3.0, 1.5))  # the third value of its second
    with pytest.raises(InvalidParameterCombination, match="a second in it has more than two values"):
        statistics(served, **asked)
    assert statistics(served, **asked, StartTime=START + 60)[0]["ExtendedStatistics"]["p50"] == 1.0
    metric = {"Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": OF_JOB}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "p90"}}
    request = {"MetricDataQueries": [query], "StartTime": START, "EndTime": START + 120}
    (result,) = served.call("GetMetricData", request, "monitoring")["MetricDataResults"]
    assert (result["Timestamps"], result["Values"], result["StatusCode"]) == ([START + 60], [1.0], "PartialData")
    assert result["Messages"][0]["Code"] == "PercentilesUnknown"


@given(
    seconds=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2), min_size=1, max_size=8),
    equal=st.integers(1, 5),
    percent=st.floats(0, 100),
)
def test_percentiles_are_those_of_the_values(seconds: list[list[float]], equal: int, percent: float) -> None:
    seconds = [*seconds, [seconds[0][0]] * equal]
    kept = [
        MetricSample(at=at, samples=len(each), total=sum(each), smallest=min(each), largest=max(each))
        for at, each in enumerate(seconds)
    ]
    ((found,), unknown) = distributions(kept, 60)
    values = sorted(value for each in seconds for value in each)
    assert unknown == []
    told = found.percentile(percent)
    assert told in values
    assert sum(value <= told for value in values) >= percent / 100 * len(values) - 1e-9
    assert sum(value < told for value in values) < max(1, percent / 100 * len(values) + 1e-9)
