"""CloudWatch Logs' DescribeLogGroups and DescribeLogStreams."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sagestone.domain.names import Deployment
from sagestone.job_logs.names import NoSuchGroup
from sagestone.job_logs.reader import LogGroupInfo, LogStreamInfo
from sagestone.operations.dependencies import Dependencies
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterException, ResourceNotFoundException

PAGE = 50
Item = TypeVar("Item")


def describe_log_groups(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The groups that have had a stream."""
    _refuse(call, "accountIdentifiers", "includeLinkedAccounts", "logGroupIdentifiers")
    if call.parameters.get("logGroupClass", "STANDARD") != "STANDARD":
        return {"logGroups": []}
    pattern = call.parameters.get("logGroupNamePattern") or ""
    names = [name for name in deps.logs.groups(call.parameters.get("logGroupNamePrefix") or "") if pattern in name]
    shown, token = _page(names, str, call)
    return {"logGroups": [_group(deps.deployment, deps.logs.group(name)) for name in shown], **token}


def describe_log_streams(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Streams of a group, by name or by the time of their last event.

    NextToken is there only when more streams match: the SageMaker Python SDK asks again as long as there is one.
    """
    group = group_of(deps.deployment, call)
    prefix, order = call.parameters.get("logStreamNamePrefix") or "", call.parameters.get("orderBy")
    if prefix and order == "LastEventTime":
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    try:
        streams = deps.logs.streams(group, prefix)
    except NoSuchGroup:
        raise no_such_group() from None
    if order == "LastEventTime":
        streams = sorted(streams, key=lambda stream: (stream.last_ms or 0, stream.name))
    if call.parameters.get("descending"):
        streams = list(reversed(streams))
    shown, token = _page(streams, lambda stream: stream.name, call)
    return {"logStreams": [_stream(deps.deployment, group, stream) for stream in shown], **token}


def group_of(deployment: Deployment, call: Call) -> str:
    """The group that a request names by logGroupName or, by name or ARN, as logGroupIdentifier."""
    name, identifier = call.parameters.get("logGroupName"), call.parameters.get("logGroupIdentifier")
    if bool(name) == bool(identifier):
        raise InvalidParameterException("Exactly one of logGroupName and logGroupIdentifier must be given.")
    if name:
        return str(name)
    return str(identifier).removeprefix(_group_arn(deployment, ""))


def no_such_group() -> ResourceNotFoundException:
    """The service's words for a group that does not exist (yet): clients wait for it."""
    return ResourceNotFoundException("The specified log group does not exist.")


def _page(items: Sequence[Item], name: Callable[[Item], str], call: Call) -> tuple[Sequence[Item], dict[str, str]]:
    """The items after the one that the token names, and the next token where there are more."""
    first = 0
    token = call.parameters.get("nextToken")
    if token is not None:
        names = [name(item) for item in items]
        after = token.removeprefix("after/")
        if after == token or after not in names:
            raise InvalidParameterException("The specified nextToken is invalid.")
        first = names.index(after) + 1
    last = first + (call.parameters.get("limit") or PAGE)
    shown = items[first:last]
    return shown, {"nextToken": f"after/{name(shown[-1])}"} if last < len(items) else {}


def _group(deployment: Deployment, group: LogGroupInfo) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": f"{_group_arn(deployment, group.name)}:*",
        "storedBytes": group.size_bytes,
        "logGroupClass": "STANDARD",
        "logGroupArn": _group_arn(deployment, group.name),
    }


def _stream(deployment: Deployment, group: str, stream: LogStreamInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{_group_arn(deployment, group)}:log-stream:{stream.name}",
        "storedBytes": stream.size_bytes,
    }
    if stream.first_ms is not None:
        shown["firstEventTimestamp"] = stream.first_ms
    if stream.last_ms is not None:
        shown |= {"lastEventTimestamp": stream.last_ms, "lastIngestionTime": stream.last_ms}
    return shown


def _group_arn(deployment: Deployment, name: str) -> str:
    return f"arn:{deployment.partition}:logs:{deployment.region}:{deployment.account}:log-group:{name}"


def _refuse(call: Call, *names: str) -> None:
    for name in names:
        if call.parameters.get(name):
            raise InvalidParameterException(f"{name} is not supported yet: leave it out.")
