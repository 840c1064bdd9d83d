"""CloudWatch Logs' FilterLogEvents: what `aws logs tail` asks."""

import heapq
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from sagestone.job_logs.names import NoSuchGroup, NoSuchStream
from sagestone.job_logs.reader import LogEvent
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.monitoring.log_events import PAGE, event_members, no_such_stream
from sagestone.operations.monitoring.log_groups import group_of, no_such_group
from sagestone.wire.call import Call
from sagestone.wire.errors import InvalidParameterException

#: Events read from one stream at a time.
CHUNK = 1000
TOKEN = re.compile(r"t/([0-9]{1,18})/([0-9]{1,18})")
TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')

Found = tuple[int, str, int, LogEvent]  # time, stream, number among the stream's events of that time, event


def filter_log_events(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Events of several streams in order of time, startTime <= time < endTime.

    filterPattern takes terms and quoted phrases: all of them must occur, one of those with `?`, none of those with `-`.
    """
    if call.parameters.get("startFromHead") is False:
        raise InvalidParameterException("startFromHead false is not supported yet: events come oldest first.")
    group, matches = group_of(deps.deployment, call), _matcher(call.parameters.get("filterPattern") or "")
    start, skip = call.parameters.get("startTime"), 0
    if call.parameters.get("nextToken") is not None:
        token = TOKEN.fullmatch(call.parameters["nextToken"])
        if token is None:
            raise InvalidParameterException("The specified nextToken is invalid.")
        start, skip = int(token[1]), int(token[2])
    streams = [
        _events(deps, group, name, start, call.parameters.get("endTime")) for name in _streams(deps, group, call)
    ]
    merged = (found for found in heapq.merge(*streams, key=lambda found: found[:3]) if matches(found[3].message))
    limit = call.parameters.get("limit") or PAGE
    page = list(islice(merged, skip, skip + limit + 1))
    shown = page[:limit]
    answer: dict[str, Any] = {"events": [_members(found) for found in shown], "searchedLogStreams": []}
    if len(page) > limit:
        last = shown[-1][0]
        again = sum(1 for found in shown if found[0] == last) + (skip if last == start else 0)
        answer["nextToken"] = f"t/{last}/{again}"
    return answer


def _streams(deps: Dependencies, group: str, call: Call) -> list[str]:
    names, prefix = call.parameters.get("logStreamNames"), call.parameters.get("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot be given together.")
    if names:
        return list(dict.fromkeys(names))
    try:
        return [stream.name for stream in deps.logs.streams(group, prefix or "")]
    except NoSuchGroup:
        raise no_such_group() from None


def _events(deps: Dependencies, group: str, stream: str, start: int | None, end: int | None) -> Iterator[Found]:
    offset, time, number = None, -1, 0
    while True:
        try:
            page = deps.logs.events(
                group, stream, start_ms=start, end_ms=end, offset=offset, limit=CHUNK, from_head=True
            )
        except NoSuchGroup:
            raise no_such_group() from None
        except NoSuchStream:
            raise no_such_stream() from None
        if not page.events:
            return
        for event in page.events:
            number = number + 1 if event.timestamp_ms == time else 0
            time = event.timestamp_ms
            yield time, stream, number, event
        offset = page.forward


def _members(found: Found) -> dict[str, Any]:
    time, stream, number, event = found
    identity = f"{time:020d}{zlib.crc32(stream.encode()):010d}{number:08d}"  # the same in every answer
    return {"logStreamName": stream, **event_members(event), "eventId": identity}


def _matcher(pattern: str) -> Callable[[str], bool]:
    pattern = pattern.strip()
    if pattern.startswith(("{", "[", "%")):
        raise InvalidParameterException(
            "filterPattern is not supported yet in this form: give terms and quoted phrases, not { }, [ ] or % %."
        )
    terms = [(sign, phrase or word) for sign, phrase, word in TERM.findall(pattern)]
    wanted = [text for sign, text in terms if sign == ""]
    some = [text for sign, text in terms if sign == "?"]
    none = [text for sign, text in terms if sign == "-"]

    def matches(message: str) -> bool:
        return (
            all(text in message for text in wanted)
            and (not some or any(text in message for text in some))
            and not any(text in message for text in none)
        )

    return matches
