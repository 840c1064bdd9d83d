"""Tells what happens to an instance: appends InstanceEvents to `events.jsonl`, each on disk before the call returns."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.archive.room import when_there_is_room
from sagestone.domain.event import InstanceEvent, Outcome, Stage
from sagestone.domain.metric import MetricPoint
from sagestone.durable import append_whole, cut_half_line, sync_directory


class Reporter:
    """The pen of one instance.

    1. Seqs go on without gaps where an earlier agent of the same instance left off; a line it left half written is cut.
    2. A stage with a message that was already the last one is not told again.
    3. After an outcome nothing more is told: `outcome` holds it, also when an earlier agent told it.
    All calls may come from any thread.
    """

    def __init__(self, files: InstanceFiles, job: str, instance: int, clock: Callable[[], float]) -> None:
        self._job, self._instance, self._clock = job, instance, clock
        self._lock = threading.Lock()
        self._file = os.open(files.events, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        cut_half_line(self._file)
        sync_directory(files.directory)
        self.seq = 0
        self.last_stage: Stage | None = None
        self.last_message = ""
        self.metrics_told = 0  # events with metrics
        self.outcome: Outcome | None = None
        for event in files.read_events():
            self._remember(event)

    def stage(self, stage: Stage, message: str) -> None:
        """The instance entered that stage, or has a new message inside it."""
        with self._lock:
            if (stage, message) != (self.last_stage, self.last_message):
                self._append(stage=stage, message=message)

    def metrics(self, points: Sequence[MetricPoint]) -> None:
        """The instance measured these; none is no event."""
        with self._lock:
            if points:
                self._append(metrics=tuple(points))

    def host_metrics(self, points: Sequence[MetricPoint]) -> None:
        """How busy the host was; none is no event."""
        with self._lock:
            if points:
                self._append(host_metrics=tuple(points))

    def ended(self, outcome: Outcome) -> None:
        """The instance ended: the last event. An outcome told before stays the one."""
        with self._lock:
            self._append(outcome=outcome)

    def _append(
        self,
        *,
        stage: Stage | None = None,
        message: str = "",
        metrics: tuple[MetricPoint, ...] = (),
        host_metrics: tuple[MetricPoint, ...] = (),
        outcome: Outcome | None = None,
    ) -> None:
        if self.outcome is not None:
            return
        event = InstanceEvent(
            job=self._job,
            instance=self._instance,
            seq=self.seq + 1,
            at=self._clock(),
            stage=stage,
            message=message,
            metrics=metrics,
            host_metrics=host_metrics,
            outcome=outcome,
        )
        when_there_is_room(partial(append_whole, self._file, msgspec.json.encode(event) + b"\n"))
        self._remember(event)

    def _remember(self, event: InstanceEvent) -> None:
        self.seq = event.seq
        if event.stage is not None:
            self.last_stage, self.last_message = event.stage, event.message
        self.metrics_told += bool(event.metrics)
        if event.outcome is not None:
            self.outcome = event.outcome
