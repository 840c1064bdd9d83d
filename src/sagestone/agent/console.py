"""Follows what a container writes: into the log stream, through the metric expressions, and into the last lines."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from sagestone.agent.lines import LineSplitter, shown
from sagestone.archive.room import when_there_is_room
from sagestone.containers.runtime import Runtime, RuntimeFailure, Stream
from sagestone.domain.metric import MetricPoint
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter

_SHOW_SECONDS = 0.1  # how long a line may wait before readers of the log see it
_COMMIT_SECONDS = 0.5  # how often metrics are told and the place is noted
_LAST_LINES = 40
_TOGETHER_SECONDS = 1.0  # lines of stdout and stderr that came within this time may have been written in either order
_TRIES = 3
_MOST_POINTS = 1000  # told at a time
_MOST_WAITING = 20_000  # points
_TAIL_BYTES = 64 * 1024  # of a flood that is not kept, for its last lines
_MANY_BYTES = 16 * 1024  # that come at once: a line at a time takes too long
_MOST_GROWTH = 16 << 20  # of the log, by as much as comes at once
_LATER = 10  # how much others go before a thread that carries a flood

LineMetrics = Callable[[str, float], list[MetricPoint]]


class MetricsPen(Protocol):
    """Where metric points are told: `agent.reporter.Reporter`."""

    @property
    def metrics_told(self) -> int:
        """How often points were told so far, by earlier agents too."""
        ...

    def metrics(self, points: Sequence[MetricPoint]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """How far the output is in the log, and the points that were to be told when that was noted."""

    stdout: int
    stderr: int
    log: int
    dropped: int
    lost: int
    points_told: int  # these included
    points: list[MetricPoint]
    told_before: int  # how often points had been told then


class Console:
    """The output of one container, taken up where an earlier agent left it.

    1. Every line comes into the log once, those of stdout and stderr as they arrive, control characters escaped.
    2. `pen` gets the metric points found, each once, every half second at most and at the end; of more than a thousand
       at a time the newest and the last of each name, and after `many_points` altogether only the last of each name.
    3. Memory is bounded; what goes beyond `keep_bytes` of log is not kept, and the log says so. So it does where output
       came faster than it was read and the runtime threw it away.
    4. Trouble with reading the output never fails the job: it is said in the log.

    The place reached (bytes of each stream, size of the log) is noted in `place_file` after the lines are safe, with
    the points that are told next: a new agent cuts the log back to that size, tells the points where the old one had no
    time to, and goes on from there.
    """

    def __init__(
        self,
        runtime: Runtime,
        container: str,
        logs: LogWriter,
        place_file: Path,
        clock: Callable[[], float],
        *,
        keep_bytes: int = 256 * 1024 * 1024,
        many_points: int = 1_000_000,
        find: LineMetrics | None = None,
        pen: MetricsPen | None = None,
    ) -> None:
        self._runtime, self._container, self._logs, self._clock = runtime, container, logs, clock
        self._place_file, self._keep_bytes, self._many_points = place_file, keep_bytes, many_points
        self._find, self._pen = find, pen
        self._taken: dict[Stream, int] = {"stdout": 0, "stderr": 0}  # bytes received from the runtime
        self._splitters: dict[Stream, LineSplitter] = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._lines: dict[Stream, deque[tuple[float, str]]] = {
            "stdout": deque(maxlen=_LAST_LINES),
            "stderr": deque(maxlen=_LAST_LINES),
        }
        self._tails: dict[Stream, bytes] = {}  # of what is neither kept nor looked at
        self._points: list[MetricPoint] = []
        self._points_told = self._dropped = self._lost = 0
        self._changed = threading.Condition()
        self._dirty = self._ended = self._many_said = False
        self._reading = threading.Thread(target=self._read, name="console-read", daemon=True)
        self._showing = threading.Thread(target=self._show, name="console-show", daemon=True)

    def start(self) -> None:
        """Begin to follow, from the place that was noted, else from the start."""
        self._return_to_place()
        self._reading.start()
        self._showing.start()

    def finish(self, timeout: float) -> bool:
        """After the container has ended: wait until all its output is kept and told; False when that took too long."""
        self._reading.join(timeout)
        complete = not self._reading.is_alive()
        with self._changed:
            if not complete:
                self._say("[sagestone] the rest of the output could not be read in time")
            for stream in self._splitters:
                self._end_line(stream)
            if self._dropped:
                self._say(f"[sagestone] {self._dropped} bytes of output were not kept")
                self._dropped = 0
            if self._lost:
                self._say(f"[sagestone] {self._lost} bytes of output came faster than they could be read, and are gone")
                self._lost = 0
            self._ended = True
            self._changed.notify_all()
        self._showing.join()
        return complete

    def last_lines(self) -> list[str]:
        """The last lines that are not blank, oldest first; what stderr said at the very end stands last.

        The two come by different ways, so which of two lines was written first cannot be told when they are that near.
        """
        with self._changed:
            for stream in tuple(self._tails):
                self._look_at_tail(stream)
            lines = sorted(
                ((at, stream, text) for stream in self._lines for at, text in self._lines[stream]), key=_time
            )
        together = lines[-1][0] - _TOGETHER_SECONDS if lines else 0.0
        lines.sort(key=lambda line: line[0] >= together and line[1] == "stderr")
        return [text for _, _, text in lines[-_LAST_LINES:]]

    def _read(self) -> None:
        for attempt in range(_TRIES):
            try:
                self._runtime.copy_logs(self._container, self._take, dict(self._taken), self._lose)
                return
            except (RuntimeFailure, OSError) as error:
                if attempt + 1 == _TRIES:
                    with self._changed:
                        self._say(f"[sagestone] the output cannot be read any further: {error}")

    def _take(self, stream: Stream, data: bytes) -> None:
        with self._changed:
            if self._ended:
                return
            self._taken[stream] += len(data)
            if self._dropped and self._find is None:
                self._dropped += len(data)
                self._tails[stream] = (self._tails.get(stream, b"") + data)[-_TAIL_BYTES:]
            elif not self._keep_plain(stream, data):
                for line in self._splitters[stream].feed(data):
                    self._keep(stream, line)
            self._wake()

    def _keep_plain(self, stream: Stream, data: bytes) -> bool:
        """Keep many lines at once, where each is kept just as it is; whether that could be done."""
        if self._find is not None or len(data) < _MANY_BYTES or self._logs.size + _MOST_GROWTH > self._keep_bytes:
            return False
        lines, at = self._splitters[stream].feed_plain(data), self._clock()
        if not lines:
            return False
        self._logs.write_lines(at, lines)
        last = (line.decode(errors="replace") for line in lines[-_TAIL_BYTES:].splitlines()[-_LAST_LINES:])
        self._lines[stream].extend((at, text) for text in last if text.strip())
        return True

    def _lose(self, stream: Stream, count: int) -> None:
        with self._changed:
            self._end_line(stream)
            if not self._lost:
                self._say("[sagestone] output comes faster than it can be read; from here on some of it is gone")
            self._taken[stream] += count
            self._lost += count

    def _look_at_tail(self, stream: Stream) -> None:
        """Take the last lines from what was passed over; the first of them is only a part where it is long."""
        self._end_line(stream)
        for line in self._tails.pop(stream).splitlines()[-_LAST_LINES:]:
            if text := shown(line).strip():
                self._lines[stream].append((self._clock(), text))

    def _end_line(self, stream: Stream) -> None:
        for line in self._splitters[stream].finish():
            self._keep(stream, line)

    def _keep(self, stream: Stream, line: bytes) -> None:
        at, text = self._clock(), shown(line)
        if self._find is not None:
            self._points += self._find(text, at)
            if len(self._points) > _MOST_WAITING:
                self._points = _thinned(self._points, _MOST_POINTS)
        if text.strip():
            self._lines[stream].append((at, text))
        if self._dropped or self._logs.size + len(text) > self._keep_bytes:
            if not self._dropped:
                _go_later()
                self._say(f"[sagestone] the log has reached {self._keep_bytes} bytes; further output is not kept")
            self._dropped += len(line) + 1
        else:
            self._logs.write(at, text)

    def _say(self, text: str) -> None:
        self._logs.write(self._clock(), text)
        self._wake()

    def _wake(self) -> None:
        if not self._dirty:
            self._dirty = True
            self._changed.notify_all()

    def _show(self) -> None:
        uncommitted, commit_at = False, 0.0
        while True:
            with self._changed:
                patience = max(0.0, commit_at - time.monotonic()) if uncommitted else None
                self._changed.wait_for(lambda: self._dirty or self._ended, patience)
                if self._dirty:
                    uncommitted = True
                    self._changed.wait_for(lambda: self._ended, _SHOW_SECONDS)  # more lines may gather
                self._dirty, ended = False, self._ended
            self._logs.flush()
            if ended or (uncommitted and time.monotonic() >= commit_at):
                self._commit()
                uncommitted, commit_at = False, time.monotonic() + _COMMIT_SECONDS
            if ended:
                return

    def _place(self, points: list[MetricPoint]) -> _Place:
        stdout, stderr = (self._taken[stream] - self._splitters[stream].pending for stream in ("stdout", "stderr"))
        return _Place(
            stdout=stdout,
            stderr=stderr,
            log=self._logs.size,
            dropped=self._dropped,
            lost=self._lost,
            points_told=self._points_told,
            points=points,
            told_before=0 if self._pen is None else self._pen.metrics_told,
        )

    def _commit(self) -> None:
        with self._changed:
            self._logs.flush()
            points, self._points = self._thinned(), []
            self._points_told += len(points)
            place = self._place(points)
        fresh = self._place_file.with_name(self._place_file.name + ".new")
        when_there_is_room(partial(fresh.write_bytes, msgspec.json.encode(place)))
        fresh.replace(self._place_file)
        if points and self._pen is not None:
            self._pen.metrics(points)

    def _thinned(self) -> list[MetricPoint]:
        if self._points_told < self._many_points:
            return _thinned(self._points, _MOST_POINTS)
        thinned = _thinned(self._points, 0)
        if len(thinned) < len(self._points) and not self._many_said:
            self._many_said = True
            self._say(
                f"[sagestone] {self._points_told} values of metrics were found; of further ones only some are kept"
            )
        return thinned

    def _return_to_place(self) -> None:
        try:
            place = msgspec.json.decode(self._place_file.read_bytes(), type=_Place)
        except FileNotFoundError:
            self._place_file.parent.mkdir(parents=True, exist_ok=True)
            self._commit()
            return
        if self._pen is not None and self._pen.metrics_told == place.told_before:
            self._pen.metrics(place.points)
        self._logs.cut(place.log)
        self._taken = {"stdout": place.stdout, "stderr": place.stderr}
        self._dropped, self._lost, self._points_told = place.dropped, place.lost, place.points_told
        reader = LogReader(self._logs.logs)
        page = reader.events(self._logs.group, self._logs.stream, limit=_LAST_LINES, from_head=False)
        self._lines["stdout"].extend((0.0, event.message) for event in page.events if event.message.strip())


def _time(line: tuple[float, Stream, str]) -> float:
    return line[0]


def _thinned(points: list[MetricPoint], most: int) -> list[MetricPoint]:
    """The newest, `most` at most, and the last one of every name."""
    if len(points) <= most:
        return points
    last = {point.name: index for index, point in enumerate(points)}
    first_kept = len(points) - most
    return [points[index] for index in sorted(last.values()) if index < first_kept] + points[first_kept:]


def _go_later() -> None:
    """Let everybody else go before this thread, where the system knows threads by number."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LATER)
