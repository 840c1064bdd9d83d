"""The CloudWatch Logs operations, over streams as the agent writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.job_logs.names import TRAINING_GROUP, TRANSFORM_GROUP
from sagestone.job_logs.writer import LogWriter
from sagestone.wire.errors import InvalidParameterException, ResourceNotFoundException
from tests.unit.served import Served

ONE, TWO = "job/algo-1-1700000000", "job/algo-2-1700000000"
GROUP_ARN = f"arn:aws:logs:us-east-1:123456789012:log-group:{TRAINING_GROUP}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    write(made, ONE, (1.0, "first"), (2.0, "second error"), (2.0, "third"), (4.0, "fourth"))
    write(made, TWO, (1.5, "other"), (2.0, "another error"))
    yield made
    made.store.close()


def write(served: Served, stream: str, *lines: tuple[float, str]) -> None:
    writer = LogWriter(served.logs, TRAINING_GROUP, stream)
    for at, line in lines:
        writer.write(at, line)
    writer.close()


def logs(served: Served, operation: str, **parameters: Any) -> dict[str, Any]:
    return served.call(operation, parameters, service="logs")


def events(served: Served, stream: str = ONE, **parameters: Any) -> dict[str, Any]:
    return logs(served, "GetLogEvents", logGroupName=TRAINING_GROUP, logStreamName=stream, **parameters)


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_groups(served: Served) -> None:
    shown = logs(served, "DescribeLogGroups", logGroupNamePrefix="/aws/")["logGroups"]
    assert [group["logGroupName"] for group in shown] == [TRAINING_GROUP]
    assert shown[0]["logGroupArn"] == GROUP_ARN
    assert (shown[0]["creationTime"], shown[0]["metricFilterCount"]) == (1000, 0)  # that of its oldest stream
    streams = logs(served, "DescribeLogStreams", logGroupName=TRAINING_GROUP)["logStreams"]
    assert shown[0]["storedBytes"] == sum(stream["storedBytes"] for stream in streams) > 0
    assert logs(served, "DescribeLogGroups", logGroupNamePattern="Transform") == {"logGroups": []}
    assert logs(served, "DescribeLogGroups", logGroupClass="DELIVERY") == {"logGroups": []}
    with pytest.raises(InvalidParameterException, match="includeLinkedAccounts is not supported"):
        logs(served, "DescribeLogGroups", includeLinkedAccounts=True)


def test_streams_of_a_job_have_no_token_when_they_are_all_there(served: Served) -> None:
    shown = logs(
        served,
        "DescribeLogStreams",
        logGroupName=TRAINING_GROUP,
        logStreamNamePrefix="job/",
        orderBy="LogStreamName",
        limit=2,
    )
    assert [stream["logStreamName"] for stream in shown["logStreams"]] == [ONE, TWO]
    assert "nextToken" not in shown
    assert (shown["logStreams"][0]["firstEventTimestamp"], shown["logStreams"][0]["lastEventTimestamp"]) == (1000, 4000)


def test_streams_page_by_page_in_both_orders(served: Served) -> None:
    def names(**parameters: Any) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = logs(served, "DescribeLogStreams", logGroupName=TRAINING_GROUP, limit=1, **parameters, **token)
            found += [stream["logStreamName"] for stream in page["logStreams"]]
            if "nextToken" not in page:
                return found
            token = {"nextToken": page["nextToken"]}

    assert names() == [ONE, TWO]
    assert names(descending=True) == [TWO, ONE]
    assert names(orderBy="LastEventTime") == [TWO, ONE]


def test_events_forward_until_an_empty_page(served: Served) -> None:
    first = events(served, startFromHead=True, limit=3)
    assert messages(first) == ["first", "second error", "third"]
    second = events(served, startFromHead=True, limit=3, nextToken=first["nextForwardToken"])
    assert messages(second) == ["fourth"]
    end = events(served, nextToken=second["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == second["nextForwardToken"]
    write(served, ONE, (5.0, "fifth"))
    assert messages(events(served, nextToken=end["nextForwardToken"])) == ["fifth"]


def test_events_backward_from_the_end(served: Served) -> None:
    last = events(served, limit=3)
    assert messages(last) == ["second error", "third", "fourth"]
    before = events(served, limit=3, nextToken=last["nextBackwardToken"])
    assert messages(before) == ["first"]


def test_start_is_inclusive_and_end_is_not(served: Served) -> None:
    shown = events(served, startTime=2000, endTime=4000, startFromHead=True)
    assert messages(shown) == ["second error", "third"]
    assert shown["events"][0]["timestamp"] == 2000


def test_a_group_may_be_named_by_its_arn(served: Served) -> None:
    for name in (GROUP_ARN, TRAINING_GROUP):
        answer = logs(served, "GetLogEvents", logGroupIdentifier=name, logStreamName=TWO, startFromHead=True)
        assert messages(answer) == ["other", "another error"]


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("DescribeLogStreams", {"logGroupName": TRANSFORM_GROUP}, "The specified log group does not exist."),
        ("DescribeLogStreams", {"logGroupName": "/other"}, "The specified log group does not exist."),
        ("GetLogEvents", {"logGroupName": "/other", "logStreamName": ONE}, "The specified log group does not exist."),
        (
            "GetLogEvents",
            {"logGroupName": TRAINING_GROUP, "logStreamName": "job/x"},
            "The specified log stream does not exist.",
        ),
        ("FilterLogEvents", {"logGroupName": TRANSFORM_GROUP}, "The specified log group does not exist."),
        (
            "FilterLogEvents",
            {"logGroupName": TRAINING_GROUP, "logStreamNames": ["x"]},
            "The specified log stream does not exist.",
        ),
    ],
)
def test_what_is_not_there(served: Served, operation: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceNotFoundException) as refused:
        logs(served, operation, **parameters)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("DescribeLogStreams", {"logGroupName": TRAINING_GROUP, "nextToken": "x"}),
        ("DescribeLogStreams", {"logGroupName": TRAINING_GROUP, "nextToken": "after/x"}),
        (
            "DescribeLogStreams",
            {"logGroupName": TRAINING_GROUP, "logStreamNamePrefix": "j", "orderBy": "LastEventTime"},
        ),
        ("DescribeLogStreams", {}),
        ("GetLogEvents", {"logGroupName": TRAINING_GROUP, "logStreamName": ONE, "nextToken": "f/x"}),
        ("FilterLogEvents", {"logGroupName": TRAINING_GROUP, "nextToken": "x"}),
        ("FilterLogEvents", {"logGroupName": TRAINING_GROUP, "filterPattern": "{ $.a = 1 }"}),
        ("FilterLogEvents", {"logGroupName": TRAINING_GROUP, "startFromHead": False}),
        ("FilterLogEvents", {"logGroupName": TRAINING_GROUP, "logStreamNames": [ONE], "logStreamNamePrefix": "job"}),
    ],
)
def test_bad_parameters(served: Served, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterException):
        logs(served, operation, **parameters)


def test_filter_merges_streams_by_time_and_pages_without_repeating(served: Served) -> None:
    whole = logs(served, "FilterLogEvents", logGroupName=TRAINING_GROUP)
    expected = ["first", "other", "second error", "third", "another error", "fourth"]
    assert messages(whole) == expected
    assert len({event["eventId"] for event in whole["events"]}) == 6
    for limit in range(1, 7):
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = logs(served, "FilterLogEvents", logGroupName=TRAINING_GROUP, limit=limit, **token)
            found += page["events"]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert found == whole["events"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("error", ["second error", "another error"]),
        ('"second error"', ["second error"]),
        ("error -another", ["second error"]),
        ("?first ?fourth", ["first", "fourth"]),
    ],
)
def test_filter_patterns(served: Served, pattern: str, expected: list[str]) -> None:
    found = logs(served, "FilterLogEvents", logGroupName=TRAINING_GROUP, filterPattern=pattern)
    assert messages(found) == expected


def test_filter_by_stream_and_time(served: Served) -> None:
    found = logs(
        served, "FilterLogEvents", logGroupName=TRAINING_GROUP, logStreamNames=[TWO], startTime=2000, endTime=3000
    )
    assert messages(found) == ["another error"]
    assert found["events"][0]["logStreamName"] == TWO
