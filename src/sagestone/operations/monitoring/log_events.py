"""CloudWatch Logs' GetLogEvents."""

import re
from collections.abc import Mapping
from typing import Any

from sagestone.job_logs.names import NoSuchGroup, NoSuchStream
from sagestone.job_logs.reader import LogEvent
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.monitoring.log_groups import group_of, no_such_group
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterException, ResourceNotFoundException

#: Most events of one answer, and how many there are where the request does not say.
PAGE = 10_000
TOKEN = re.compile(r"([fb])/([0-9]{1,18})")


def get_log_events(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of one stream, oldest event first: startTime <= time < endTime.

    Without startFromHead the first page is the last one of the stream. The forward token stands behind the last event:
    asked again at the end it gives an empty page with the same token, which is how clients know the end.
    """
    parameters = call.parameters
    offset, forward = None, bool(parameters.get("startFromHead"))
    if parameters.get("nextToken") is not None:
        match = TOKEN.fullmatch(parameters["nextToken"])
        if match is None:
            raise InvalidParameterException("The specified nextToken is invalid.")
        offset, forward = int(match[2]), match[1] == "f"
    try:
        page = deps.logs.events(
            group_of(deps.deployment, call),
            parameters["logStreamName"],
            start_ms=parameters.get("startTime"),
            end_ms=parameters.get("endTime"),
            offset=offset,
            limit=parameters.get("limit") or PAGE,
            from_head=forward,
        )
    except NoSuchGroup:
        raise no_such_group() from None
    except NoSuchStream:
        raise no_such_stream() from None
    return {
        "events": [event_members(event) for event in page.events],
        "nextForwardToken": f"f/{page.forward}",
        "nextBackwardToken": f"b/{page.backward}",
    }


def event_members(event: LogEvent) -> dict[str, Any]:
    """An event in the words of CloudWatch Logs (times in milliseconds)."""
    return {"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.ingestion_ms}


def no_such_stream() -> ResourceNotFoundException:
    """The service's words for a stream that does not exist (yet)."""
    return ResourceNotFoundException("The specified log stream does not exist.")
