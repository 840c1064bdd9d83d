"""An agent that dies while it follows a container: the next one tells each line and each metric once."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from sagestone.agent.console import Console
from sagestone.agent.files import InstanceFiles
from sagestone.agent.reporter import Reporter
from sagestone.containers.runtime import LogSink, Runtime, Stream
from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.metric_scraper import MetricScraper
from sagestone.job_logs.names import TRAINING_GROUP
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter

_OUTPUT = b"".join(b"loss=%d;\n" % number for number in range(20))


class Kept:
    """The output of a container that has ended, as every runtime gives it again."""

    def copy_logs(
        self, container: str, sink: LogSink, skip: Mapping[Stream, int] | None = None, lost: Any = None
    ) -> None:
        sink("stdout", _OUTPUT[(skip or {}).get("stdout", 0) :])


class DyingPen:
    """A reporter whose process is gone right before or right after points are told."""

    def __init__(self, reporter: Reporter, *, after: bool) -> None:
        self._reporter, self._after = reporter, after

    @property
    def metrics_told(self) -> int:
        return self._reporter.metrics_told

    def metrics(self, points: Sequence[MetricPoint]) -> None:
        if points and self._after:
            self._reporter.metrics(points)
        if points:
            os._exit(9)


def _follow(directory: Path, wrap: Any = lambda reporter: reporter) -> None:
    files = InstanceFiles(directory)
    reporter = Reporter(files, "training/job", 1, time.time)
    console = Console(
        cast(Runtime, cast(Any, Kept())),
        "container",
        LogWriter(directory / "logs", TRAINING_GROUP, "job/algo-1-1"),
        directory / "place.json",
        time.time,
        find=MetricScraper((MetricDefinition(name="loss", regex="loss=([0-9]+);"),)).find,
        pen=wrap(reporter),
    )
    console.start()
    assert console.finish(10)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_metrics_are_told_once_whenever_their_agent_dies(tmp_path: Path, after: bool) -> None:
    child = os.fork()
    if not child:
        try:
            _follow(tmp_path, lambda reporter: DyingPen(reporter, after=after))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    _follow(tmp_path)
    told = [point.value for event in InstanceFiles(tmp_path).read_events() for point in event.metrics]
    assert told == [float(number) for number in range(20)]
    page = LogReader(tmp_path / "logs").events(TRAINING_GROUP, "job/algo-1-1", limit=100, from_head=True)
    assert [event.message for event in page.events] == _OUTPUT.decode().splitlines()
