"""The output of a container: whole, once, stdout and stderr apart, while it runs and after.

Docker's stream is followed. It may miss the very end (or break, when the daemon restarts), so the log is read once more
from its first byte when the container has ended, and what was delivered is skipped by counting: time stamps are too
coarse. Podman's following also loses lines in the middle, so its log file is read as it grows; where this process may
not read that file, the log is asked for again and again from its first byte, less often the longer that takes.

An engine begins a new file when one is full, and throws the oldest away: then a log has fewer bytes than were delivered
of it. What it has is taken for known, since a flood is better cut than told twice.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from sagestone.containers.engine.http import EngineHttp, EngineUnreachable
from sagestone.containers.runtime import LogSink, RuntimeFailure, Stream

_HEADER = 8
_STREAMS: dict[int, Stream] = {0: "stdout", 1: "stdout", 2: "stderr"}
_NAMES: dict[bytes, Stream] = {b"stdout": "stdout", b"stderr": "stderr"}
_PATIENCE = 60.0  # seconds for an engine that restarts
_GLANCE = 0.1  # seconds between looks at a file
_PIECE = 1024 * 1024

Ended = Callable[[], bool]


def follow_stream(
    http: EngineHttp, container: str, sink: LogSink, skip: Mapping[Stream, int] | None, ended: Ended
) -> None:
    """Follow the engine's stream, and read it once more after the end."""
    reader = _Reader(http, container, sink, skip or {})
    taken_up = not any((skip or {}).values())  # else it is seen first whether the log still has what is skipped
    failing_since: float | None = None
    while True:
        over = ended()
        try:
            reader.read(follow=taken_up and not over)
            if over:
                return
            taken_up = True
            failing_since = None
        except EngineUnreachable:
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > _PATIENCE:
                raise
            time.sleep(0.2)


def poll_stream(
    http: EngineHttp, container: str, sink: LogSink, skip: Mapping[Stream, int] | None, ended: Ended
) -> None:
    """Read the whole log again and again, at most a quarter of the time, until the end."""
    reader = _Reader(http, container, sink, skip or {})
    while True:
        over = ended()
        began = time.monotonic()
        reader.read(follow=False)
        if over:
            return
        time.sleep(max(0.3, 3 * (time.monotonic() - began)))


def follow_file(
    path: Path, sink: LogSink, skip: Mapping[Stream, int] | None, ended: Ended, glance: float = _GLANCE
) -> None:
    """Read a log file of Podman's, `TIME STREAM F|P TEXT` a line, as it grows; P means that no line ended there."""
    left = {"stdout": 0, "stderr": 0, **(skip or {})}
    rest = b""
    over = replaced = False
    file = path.open("rb")
    try:
        while True:
            data = file.read(_PIECE)
            if data:
                *lines, rest = (rest + data).split(b"\n")
                for stream, text in _joined(map(_entry, lines)):
                    fresh = text[left[stream] :]
                    left[stream] = max(left[stream] - len(text), 0)
                    if fresh:
                        sink(stream, fresh)
            elif replaced:  # and what came into the old file at last has been read
                file.close()
                file, rest, replaced = path.open("rb"), b"", False
            elif _is_replaced(path, file):
                replaced = True
            elif over:
                return
            else:
                left = dict.fromkeys(left, 0)  # what is to be skipped has been seen, or is gone
                over = ended()
                if not over:
                    time.sleep(glance)
    finally:
        file.close()


def _is_replaced(path: Path, file: BinaryIO) -> bool:
    """Whether the engine has begun a new file."""
    try:
        return not os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def frames(pieces: Iterator[bytes]) -> Iterator[tuple[Stream, bytes]]:
    """The payloads of an engine's stream, neighbours of one stream joined; pieces may be cut anywhere.

    A frame is one byte for the stream, three zeros, four bytes of length, then that many bytes.
    """
    rest = b""
    for piece in pieces:
        buffer = rest + piece if rest else piece
        whole, position = [], 0
        while len(buffer) - position >= _HEADER:
            end = position + _HEADER + int.from_bytes(buffer[position + 4 : position + _HEADER], "big")
            if end > len(buffer):
                break
            if buffer[position] not in _STREAMS:
                raise RuntimeFailure(f"the engine's log stream is damaged: stream number {buffer[position]}")
            whole.append((_STREAMS[buffer[position]], buffer[position + _HEADER : end]))
            position = end
        yield from _joined(iter(whole))
        rest = buffer[position:]


class _Reader:
    """Counts what was delivered of each stream, so that every reading from the start goes on where the last ended."""

    def __init__(self, http: EngineHttp, container: str, sink: LogSink, skip: Mapping[Stream, int]) -> None:
        self._http = http
        self._container = container
        self._sink = sink
        self._delivered: dict[Stream, int] = {"stdout": skip.get("stdout", 0), "stderr": skip.get("stderr", 0)}

    def read(self, *, follow: bool) -> None:
        seen: dict[Stream, int] = {"stdout": 0, "stderr": 0}
        path = f"/containers/{self._container}/logs"
        patience = None if follow else 300
        with self._http.stream("GET", path, timeout=patience, stdout=True, stderr=True, follow=follow) as pieces:
            for stream, data in frames(pieces):
                unseen = self._delivered[stream] - seen[stream]
                seen[stream] += len(data)
                if unseen < len(data):
                    fresh = data[max(unseen, 0) :]
                    self._delivered[stream] += len(fresh)
                    self._sink(stream, fresh)
        if not follow:
            self._delivered = {stream: min(count, seen[stream]) for stream, count in self._delivered.items()}


def _entry(line: bytes) -> tuple[Stream, bytes]:
    parts = line.split(b" ", 3)
    if len(parts) != 4 or parts[1] not in _NAMES:
        raise RuntimeFailure(f"the engine's log file is damaged: {line[:80]!r}")
    return _NAMES[parts[1]], parts[3] + b"\n" if parts[2] == b"F" else parts[3]


def _joined(entries: Iterator[tuple[Stream, bytes]]) -> Iterator[tuple[Stream, bytes]]:
    """Neighbours of one stream as one: a sink is called seldom."""
    current: Stream = "stdout"
    texts: list[bytes] = []
    for stream, text in entries:
        if stream != current and texts:
            yield current, b"".join(texts)
            texts = []
        current = stream
        texts.append(text)
    if texts:
        yield current, b"".join(texts)
