"""What a container wrote last, where its two streams come out of order."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sagestone.agent.console import Console
from sagestone.containers.runtime import LogSink, LostSink, Runtime, Stream, passed_over
from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.metric_scraper import MetricScraper
from sagestone.job_logs.names import TRAINING_GROUP
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter

GONE = b"gone"  # stands for a gibibyte that the runtime threw away


class TwoPipes:
    """Gives what it was made with, in that order: an engine may hand over stderr before the stdout that came first."""

    def __init__(self, *pieces: tuple[Stream, bytes]) -> None:
        self._pieces = pieces

    def copy_logs(
        self, container: str, sink: LogSink, skip: Mapping[Stream, int] | None = None, lost: LostSink = passed_over
    ) -> None:
        for stream, data in self._pieces:
            if data == GONE:
                lost(stream, 1 << 30)
            else:
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


def test_the_end_of_a_flood_is_known_though_it_is_not_kept(tmp_path: Path) -> None:
    pieces: list[tuple[Stream, bytes]] = [("stdout", b"y\n" * 100_000)] * 100
    console, logs = _console(
        tmp_path, *pieces, ("stdout", b"half"), ("stderr", b"no such column: y\n"), keep_bytes=10_000
    )
    assert console.last_lines()[-3:] == ["y", "half", "no such column: y"]
    *kept, said = _messages(logs)
    assert kept[-1] == "[sagestone] the log has reached 10000 bytes; further output is not kept"
    assert len(kept) < 10_000
    assert said.endswith(" bytes of output were not kept")
    assert int(said.split()[1]) > 20_000_000 - 10_000


def test_what_the_runtime_threw_away_is_said_where_it_was_and_counted(tmp_path: Path) -> None:
    _, logs = _console(tmp_path, ("stdout", b"before\ncut"), ("stdout", GONE), ("stdout", GONE), ("stdout", b"after\n"))
    assert _messages(logs) == [
        "before",
        "cut",
        "[sagestone] output comes faster than it can be read; from here on some of it is gone",
        "after",
        f"[sagestone] {2 << 30} bytes of output came faster than they could be read, and are gone",
    ]
    assert json.loads((tmp_path / "place.json").read_text())["stdout"] == len("before\ncutafter\n") + (2 << 30)


def test_a_million_metrics_are_told_in_small_number_and_the_last_one_among_them(tmp_path: Path) -> None:
    told: list[list[MetricPoint]] = []
    lines = b"".join(b"%d\n" % number for number in range(1_000_000))
    pieces: list[tuple[Stream, bytes]] = [("stdout", lines[at : at + 100_000]) for at in range(0, len(lines), 100_000)]
    _, logs = _console(
        tmp_path,
        *pieces,
        keep_bytes=1000,
        many_points=500,
        find=lambda line, at: [MetricPoint(name=f"m{len(line)}", value=float(line), at=at)],
        pen=Pen(told),
    )
    assert len(told[0]) <= 1000 + 6
    assert all(len(points) <= 6 for points in told[1:])
    assert {point.name: point.value for points in told for point in points}["m6"] == 999_999.0
    if len(told) > 1:
        assert any(
            "values of metrics were found; of further ones only some are kept" in each for each in _messages(logs)
        )


def test_lines_that_come_in_great_number_are_kept_and_searched_like_lines_that_come_one_by_one(tmp_path: Path) -> None:
    line = "loss=%d;\tstep %d\x1b[0m é\r\n\n"
    output = b"".join((line % (number % 7, number)).encode() + b"\xff\n" for number in range(3000)) + b"loss=9; end"
    kept = []
    for name, size in (("many", 1 << 18), ("few", 1000)):
        told: list[list[MetricPoint]] = []
        (tmp_path / name).mkdir()
        console, logs = _console(
            tmp_path / name,
            *(("stdout", output[at : at + size]) for at in range(0, len(output), size)),
            find=MetricScraper((MetricDefinition(name="loss", regex="loss=([0-9]+);#011step"),)).find,
            pen=Pen(told),
        )
        points = [point.value for points in told for point in points]
        kept.append((_messages(logs), console.last_lines(), points[-1000:]))
    assert kept[0] == kept[1]
    messages, last, points = kept[0]
    assert messages[:3] == ["loss=0;#011step 0#033[0m é", "", "\ufffd"]
    assert len(messages) == 9001
    assert last[-2:] == ["\ufffd", "loss=9; end"]
    assert points[-1] == 2999 % 7


class Pen:
    """Keeps what it is told."""

    def __init__(self, told: list[list[MetricPoint]]) -> None:
        self._told = told

    @property
    def metrics_told(self) -> int:
        return len(self._told)

    def metrics(self, points: Sequence[MetricPoint]) -> None:
        self._told.append(list(points))


def _console(tmp_path: Path, *pieces: tuple[Stream, bytes], **fields: Any) -> tuple[Console, LogWriter]:
    """One that has read all the pieces."""
    logs = LogWriter(tmp_path, TRAINING_GROUP, "job/algo-1-1")
    runtime = cast(Runtime, cast(Any, TwoPipes(*pieces)))
    console = Console(runtime, "container", logs, tmp_path / "place.json", lambda: 1.0, **fields)
    console.start()
    assert console.finish(60)
    logs.close()
    return console, logs


def _messages(logs: LogWriter) -> list[str]:
    page = LogReader(logs.logs).events(logs.group, logs.stream, limit=100_000, from_head=True)
    return [event.message for event in page.events]


class DeafAtFirst:
    """Tells nothing of a container that is just starting, as Podman was seen to; all of it once it is asked again."""

    def __init__(self) -> None:
        self.asked = 0

    def copy_logs(
        self, container: str, sink: LogSink, skip: Mapping[Stream, int] | None = None, lost: LostSink = passed_over
    ) -> None:
        self.asked += 1
        if self.asked > 1:
            sink("stdout", b"serving\n")


def test_who_heard_nothing_asks_once_more_after_the_end(tmp_path: Path) -> None:
    logs = LogWriter(tmp_path, TRAINING_GROUP, "job/algo-1-1")
    runtime = DeafAtFirst()
    console = Console(cast(Runtime, cast(Any, runtime)), "container", logs, tmp_path / "place.json", lambda: 0.0)
    console.start()
    assert console.finish(10)
    logs.close()
    assert console.last_lines() == ["serving"]
    assert runtime.asked == 2
