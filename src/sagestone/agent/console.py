"""Follows what a container writes: into the log stream, through the metric expressions, and into the last lines."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from sagestone.agent.console_share import ConsoleShare
from sagestone.agent.found_metrics import FoundMetrics, LineMetrics
from sagestone.agent.last_lines import MOST_LINES, LastLines
from sagestone.agent.lines import LineSplitter, shown
from sagestone.archive.room import when_there_is_room
from sagestone.containers.runtime import Runtime, RuntimeFailure, Stream
from sagestone.domain.metric import MetricPoint
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter

_SHOW_SECONDS = 0.1  # how long a line may wait before readers of the log see it
_COMMIT_SECONDS = 0.5  # how often metrics are told and the place is noted
_TRIES = 3
_MANY_BYTES = 16 * 1024  # that come at once: a line at a time takes too long
_MOST_BYTES_SHOWN = 4  # of the log for a byte of output, and
_MOST_BYTES_DATED = 16  # for a line
_LATER = 10  # how much others go before a thread that carries a flood


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
    4. Reading takes two seconds of a processor at once and a quarter of one in the long run, while the container runs:
       what it writes faster than that waits, and slows its writer where the runtime lets it.
    5. Trouble with reading the output never fails the job: it is said in the log.

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
        self._place_file, self._keep_bytes = place_file, keep_bytes
        self._pen = pen
        self._taken: dict[Stream, int] = {"stdout": 0, "stderr": 0}  # bytes received from the runtime
        self._splitters: dict[Stream, LineSplitter] = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._last = LastLines()
        self._metrics = None if find is None else FoundMetrics(find, many_points)
        self._dropped = self._lost = 0
        self._share = ConsoleShare()
        self._changed = threading.Condition()
        self._over = threading.Event()  # the container has ended for certain
        self._dirty = self._ended = False
        self._reading = threading.Thread(target=self._read, name="console-read", daemon=True)
        self._showing = threading.Thread(target=self._show, name="console-show", daemon=True)

    def start(self) -> None:
        """Begin to follow, from the place that was noted, else from the start."""
        self._return_to_place()
        self._reading.start()
        self._showing.start()

    def finish(self, timeout: float) -> bool:
        """After the container has ended: wait until all its output is kept and told; False when that took too long."""
        self._share.end()
        self._over.set()
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
        """The last lines that are not blank, oldest first; what stderr said at the very end stands last."""
        with self._changed:
            for stream in self._splitters:
                if self._last.has_passed_over(stream):
                    self._end_line(stream)
            return self._last.told(self._clock())

    def _read(self) -> None:
        for attempt in range(_TRIES):
            try:
                self._runtime.copy_logs(self._container, self._take, dict(self._taken), self._lose)
                break
            except (RuntimeFailure, OSError) as error:
                if attempt + 1 == _TRIES:
                    with self._changed:
                        self._say(f"[sagestone] the output cannot be read any further: {error}")
        if not any(self._taken.values()):  # Podman was seen to tell nothing at all of one that had just started
            self._over.wait()
            with suppress(RuntimeFailure, OSError):
                self._runtime.copy_logs(self._container, self._take, dict(self._taken), self._lose)

    def _take(self, stream: Stream, data: bytes) -> None:
        with self._changed:
            if self._ended:
                return
            self._taken[stream] += len(data)
            if self._dropped and self._metrics is None:
                self._dropped += len(data)
                self._last.pass_over(stream, data)
            elif len(data) < _MANY_BYTES or not self._keep_many(stream, data):
                for line in self._splitters[stream].feed(data):
                    self._keep(stream, line)
            self._wake()
        self._share.pause()

    def _keep_many(self, stream: Stream, data: bytes) -> bool:
        """Do with many lines at once what `_keep` does with each; whether that could be done.

        Not where the log may become full within them, nor where one of them is too long.
        """
        growth = len(data) * _MOST_BYTES_SHOWN + (data.count(b"\n") + 1) * _MOST_BYTES_DATED
        if not self._dropped and self._logs.size + growth > self._keep_bytes:
            return False
        splitter, at = self._splitters[stream], self._clock()
        before = splitter.pending
        lines = splitter.feed_shown(data)
        if not lines:
            return False
        if self._metrics is not None:
            for text in lines[:-1].decode().split("\n"):
                self._metrics.look(text, at)
        self._last.add_many(stream, lines, at)
        if self._dropped:
            self._dropped += before + len(data) - splitter.pending
        else:
            self._logs.write_lines(at, lines)
        return True

    def _lose(self, stream: Stream, count: int) -> None:
        with self._changed:
            self._end_line(stream)
            if not self._lost:
                self._say("[sagestone] output comes faster than it can be read; from here on some of it is gone")
            self._taken[stream] += count
            self._lost += count

    def _end_line(self, stream: Stream) -> None:
        for line in self._splitters[stream].finish():
            self._keep(stream, line)

    def _keep(self, stream: Stream, line: bytes) -> None:
        at, text = self._clock(), shown(line)
        if self._metrics is not None:
            self._metrics.look(text, at)
        self._last.add(stream, text, at)
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
            points_told=0 if self._metrics is None else self._metrics.told,
            points=points,
            told_before=0 if self._pen is None else self._pen.metrics_told,
        )

    def _commit(self) -> None:
        with self._changed:
            self._logs.flush()
            points = [] if self._metrics is None else self._metrics.take(self._say)
            place = self._place(points)
        fresh = self._place_file.with_name(self._place_file.name + ".new")
        when_there_is_room(partial(fresh.write_bytes, msgspec.json.encode(place)))
        fresh.replace(self._place_file)
        if points and self._pen is not None:
            self._pen.metrics(points)

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
        self._dropped, self._lost = place.dropped, place.lost
        if self._metrics is not None:
            self._metrics.told = place.points_told
        reader = LogReader(self._logs.logs)
        page = reader.events(self._logs.group, self._logs.stream, limit=MOST_LINES, from_head=False)
        for event in page.events:
            self._last.add("stdout", event.message, 0.0)


def _go_later() -> None:
    """Let everybody else go before this thread, where the system knows threads by number."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LATER)
