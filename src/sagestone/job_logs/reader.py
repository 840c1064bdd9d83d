"""Reads log streams while they are being written: lists them, and pages through their events in both directions."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from sagestone.job_logs.names import (
    GROUPS,
    SUFFIX,
    NoSuchGroup,
    NoSuchStream,
    encode_part,
    group_directory,
    stream_file,
)

_BLOCK = 64 * 1024
_PAGE_BYTES = 1024 * 1024  # longest page, as the service answers at most 1 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroupInfo:
    """A group as DescribeLogGroups shows it: it is as old as the oldest stream that is kept."""

    name: str
    created_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStreamInfo:
    """A stream as DescribeLogStreams shows it; a stream without events has neither first nor last time."""

    name: str
    created_ms: int
    first_ms: int | None
    last_ms: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a log; it was taken in when it was written."""

    timestamp_ms: int
    ingestion_ms: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Events in order of time. `forward` stands behind the last one and `backward` before the first one."""

    events: list[LogEvent]
    forward: int
    backward: int


class LogReader:
    """The logs below one directory; a stream appears as soon as its writer has opened it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def groups(self, prefix: str = "") -> list[str]:
        """The groups that have had a stream, by name."""
        return [
            group for group in GROUPS if group.startswith(prefix) and group_directory(self.directory, group).is_dir()
        ]

    def group(self, name: str) -> LogGroupInfo:
        """One of `groups`, with the size of all its streams."""
        top = group_directory(self.directory, name)
        size, changed, oldest = 0, top.stat().st_mtime, None
        for file in _log_files(top):
            try:
                found = file.stat()
            except FileNotFoundError:  # cleaned away meanwhile
                continue
            size += found.st_size
            if oldest is None or found.st_mtime < changed:
                changed, oldest = found.st_mtime, file
        began = int(changed * 1000)
        if oldest is not None:
            try:
                began = _describe("", oldest).created_ms
            except FileNotFoundError:
                pass
        return LogGroupInfo(name=name, created_ms=began, size_bytes=size)

    def streams(self, group: str, prefix: str = "") -> list[LogStreamInfo]:
        """Streams whose name starts with `prefix`, sorted by name; raises NoSuchGroup."""
        top = group_directory(self.directory, group)
        if not top.is_dir():
            raise NoSuchGroup(f"there is no log group {group!r} yet: no job of its kind has run")
        folders = [encode_part(part) for part in prefix.split("/")[:-1]]
        if any(not folder or len(folder) > 255 for folder in folders):
            return []
        found = ((self._name(top, file), file) for file in _log_files(top.joinpath(*folders)))
        return [_describe(name, file) for name, file in sorted(found) if name.startswith(prefix)]

    def events(
        self,
        group: str,
        stream: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        offset: int | None = None,
        limit: int,
        from_head: bool,
    ) -> LogPage:
        """At most `limit` events (and about 1 MB) with start_ms <= time < end_ms; raises NoSuchStream.

        With `from_head` they are the first ones at or after `offset` (default: the beginning), else the last ones
        before `offset` (default: the end). Pass a page's `forward` with from_head=True to go on, its `backward` with
        from_head=False to go back; where nothing is left the page is empty and its two offsets are the one given.
        """
        path = stream_file(self.directory, group, stream)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchStream(f"the log group {group} has no stream {stream!r}") from None
        with file:
            end = _whole_lines(file)
            lower = 0 if start_ms is None else _first_at(file, start_ms, end)
            upper = end if end_ms is None else max(lower, _first_at(file, end_ms, end))
            if from_head:
                given = lower if offset is None else offset
                start = _line_start(file, min(max(given, lower), upper), end)
                return _page_forward(file, start, upper, limit)
            given = upper if offset is None else offset
            start = _line_start(file, min(max(given, lower), upper), end)
            return _page_backward(file, start, lower, limit)

    def _name(self, top: Path, file: Path) -> str:
        return unquote(str(file.relative_to(top))[: -len(SUFFIX)])


def _log_files(directory: Path) -> Iterator[Path]:
    try:
        entries = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _log_files(Path(entry.path))
        elif entry.name.endswith(SUFFIX):
            yield Path(entry.path)


def _describe(name: str, path: Path) -> LogStreamInfo:
    with path.open("rb") as file:
        end = _whole_lines(file)
        created = int(os.fstat(file.fileno()).st_mtime * 1000)
        first = _page_forward(file, 0, end, 1).events
        last = _page_backward(file, end, 0, 1).events
    return LogStreamInfo(
        name=name,
        created_ms=first[0].timestamp_ms if first else created,
        first_ms=first[0].timestamp_ms if first else None,
        last_ms=last[0].timestamp_ms if last else None,
        size_bytes=end,
    )


def _page_forward(file: BinaryIO, start: int, end: int, limit: int) -> LogPage:
    events: list[LogEvent] = []
    position = start
    file.seek(start)
    while position < end and len(events) < limit and position - start < _PAGE_BYTES:
        line = file.readline()
        position += len(line)
        events.append(_event(line))
    return LogPage(events=events, forward=position, backward=start)


def _page_backward(file: BinaryIO, end: int, lower: int, limit: int) -> LogPage:
    events: list[LogEvent] = []
    position = end
    tail = b""  # bytes of the file from `read_from` to `position`
    read_from = end
    while position > lower and len(events) < limit and end - position < _PAGE_BYTES:
        newline = tail.rfind(b"\n", 0, len(tail) - 1)
        if newline < 0 and read_from > 0:
            step = max(_BLOCK, len(tail))
            block = max(0, read_from - step)
            tail = os.pread(file.fileno(), read_from - block, block) + tail
            read_from = block
            continue
        line = tail[newline + 1 :]
        tail = tail[: newline + 1]
        position -= len(line)
        events.append(_event(line))
    return LogPage(events=events[::-1], forward=end, backward=position)


def _event(line: bytes) -> LogEvent:
    head, _, message = line.rstrip(b"\n").partition(b"\t")
    at = int(head) if head.isdigit() else 0
    return LogEvent(timestamp_ms=at, ingestion_ms=at, message=message.decode(errors="replace"))


def _whole_lines(file: BinaryIO) -> int:
    """Where the last whole line ends."""
    end = os.fstat(file.fileno()).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        newline = os.pread(file.fileno(), end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _line_start(file: BinaryIO, offset: int, end: int) -> int:
    """`offset` itself where a line starts there, else the start of the next line: a made-up offset does no harm."""
    if offset <= 0 or offset >= end:
        return max(0, min(offset, end))
    file.seek(offset - 1)
    return offset - 1 + len(file.readline())


def _first_at(file: BinaryIO, at_ms: int, end: int) -> int:
    """Where the first line with a time of at least `at_ms` starts; times never go back within a stream."""
    low, high = 0, end  # both are starts of lines
    while low < high:
        start = _line_start(file, (low + high) // 2, end)
        if start >= high:  # one line, or the last one before `high`, is left to look at from `low`
            file.seek(low)
            line = file.readline()
            if _event(line).timestamp_ms >= at_ms:
                return low
            low += len(line)
            continue
        file.seek(start)
        line = file.readline()
        if _event(line).timestamp_ms < at_ms:
            low = start + len(line)
        else:
            high = start
    return low
