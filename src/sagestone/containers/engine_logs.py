"""The output of a container, from the engine's log stream: whole, once, stdout and stderr apart.

The engine sends frames: one byte for the stream, three zeros, four bytes of length, then that many bytes. Following can
end early (Podman loses the tail of large output; a daemon may restart), so after the end the log is read again from the
first byte and what was delivered is skipped by counting; time stamps are too coarse for it.
"""

import time
from collections.abc import Callable, Iterator, Mapping

from sagestone.containers.engine_http import EngineHttp, EngineUnreachable
from sagestone.containers.runtime import LogSink, RuntimeFailure, Stream

_HEADER = 8
_STREAMS: dict[int, Stream] = {0: "stdout", 1: "stdout", 2: "stderr"}
_PATIENCE = 60.0  # seconds for an engine that restarts


def copy_engine_logs(
    http: EngineHttp,
    container: str,
    sink: LogSink,
    skip: Mapping[Stream, int] | None,
    ended: Callable[[], bool],
    trust_follow: bool,
) -> None:
    """Deliver everything until `ended`; `trust_follow` when a stream that was followed to its end is complete."""
    reader = _Reader(http, container, sink, skip or {})
    failing_since: float | None = None
    while True:
        over = ended()
        try:
            reader.read(follow=not over)
            if over or (trust_follow and ended()):
                return
            failing_since = None
        except EngineUnreachable:
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > _PATIENCE:
                raise
            time.sleep(0.2)


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


def frames(pieces: Iterator[bytes]) -> Iterator[tuple[Stream, bytes]]:
    """The payloads of a multiplexed stream, neighbours of one stream joined; pieces may be cut anywhere."""
    rest = b""
    for piece in pieces:
        buffer = rest + piece if rest else piece
        position = 0
        joined: list[bytes] = []
        current: Stream | None = None
        while len(buffer) - position >= _HEADER:
            size = int.from_bytes(buffer[position + 4 : position + _HEADER], "big")
            if len(buffer) - position - _HEADER < size:
                break
            if buffer[position] not in _STREAMS:
                raise RuntimeFailure(f"the engine's log stream is damaged: stream number {buffer[position]}")
            stream = _STREAMS[buffer[position]]
            if joined and stream != current:
                yield current or stream, b"".join(joined)
                joined = []
            current = stream
            joined.append(buffer[position + _HEADER : position + _HEADER + size])
            position += _HEADER + size
        if joined and current:
            yield current, b"".join(joined)
        rest = buffer[position:]
