"""What a container wrote last, where its two streams come out of order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from sagestone.agent.console import Console
from sagestone.containers.runtime import LogSink, Runtime, Stream
from sagestone.job_logs.names import TRAINING_GROUP
from sagestone.job_logs.writer import LogWriter


class TwoPipes:
    """Gives what it was made with, in that order: an engine may hand over stderr before the stdout that came first."""

    def __init__(self, *pieces: tuple[Stream, bytes]) -> None:
        self._pieces = pieces

    def copy_logs(self, container: str, sink: LogSink, skip: Mapping[Stream, int] | None = None) -> None:
        for stream, data in self._pieces:
            sink(stream, data)


def last_lines(directory: Path, *pieces: tuple[Stream, bytes], seconds: float = 0.0) -> list[str]:
    now = iter(range(10_000))
    logs = LogWriter(directory, TRAINING_GROUP, "job/algo-1-1")
    runtime = cast(Runtime, cast(Any, TwoPipes(*pieces)))
    console = Console(runtime, "container", logs, directory / "place.json", lambda: next(now) * seconds)
    console.start()
    assert console.finish(10)
    logs.close()
    return console.last_lines()


def test_the_error_stands_last_where_the_streams_ended_together(tmp_path: Path) -> None:
    flood = b"".join(b"epoch %d\n" % number for number in range(100))
    lines = last_lines(tmp_path, ("stderr", b"no such column: y\n"), ("stdout", flood))
    assert lines[-2:] == ["epoch 99", "no such column: y"]
    assert len(lines) == 40


def test_an_old_warning_stays_where_it_was(tmp_path: Path) -> None:
    lines = last_lines(tmp_path, ("stderr", b"deprecated\n"), ("stdout", b"one\ntwo\nthree\n"), seconds=2.0)
    assert lines == ["deprecated", "one", "two", "three"]
