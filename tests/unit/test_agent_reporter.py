"""Events that outlive their agent, and the signals it watches."""

import resource
from pathlib import Path

import pytest

from sagestone.agent.files import InstanceFiles
from sagestone.agent.reporter import Reporter
from sagestone.agent.stop import StopAsked, StopSignal
from sagestone.domain.event import Outcome
from sagestone.domain.metric import MetricPoint


def _reporter(directory: Path) -> Reporter:
    return Reporter(InstanceFiles(directory), "training/job", 1, lambda: 5.0)


def test_a_new_agent_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    first = _reporter(tmp_path)
    first.stage("Starting", "Starting the training job")
    first.stage("Starting", "Starting the training job")  # nothing new
    first.metrics([])  # nothing at all
    first.metrics([MetricPoint(name="loss", value=0.5, at=4.0)])
    with InstanceFiles(tmp_path).events.open("ab") as file:
        file.write(b'{"job":"training/job","inst')
    assert len(InstanceFiles(tmp_path).read_events()) == 2
    second = _reporter(tmp_path)
    assert (second.seq, second.last_stage, second.outcome) == (2, "Starting", None)
    second.stage("Downloading", "Downloading input data")
    second.ended(Outcome(ending="Completed", exit_code=0))
    second.stage("Uploading", "too late")
    events = InstanceFiles(tmp_path).read_events()
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert [event.stage for event in events] == ["Starting", None, "Downloading", None]
    assert _reporter(tmp_path).outcome == events[-1].outcome == Outcome(ending="Completed", exit_code=0)
    assert [event.seq for event in InstanceFiles(tmp_path).read_events(after=3)] == [4]


def test_only_half_a_line_is_no_event(tmp_path: Path) -> None:
    InstanceFiles(tmp_path).events.write_bytes(b'{"job"')
    reporter = _reporter(tmp_path)
    reporter.stage("Starting", "")
    assert [event.seq for event in InstanceFiles(tmp_path).read_events()] == [1]


def test_the_stop_file_and_the_deadline_are_seen_and_the_first_reason_stays(tmp_path: Path) -> None:
    now = 100.0
    stop = StopSignal(tmp_path / "stop", lambda: now)
    stop.end_at(101.0)
    stop.check()
    assert stop.wait(0.0) is None
    now = 101.0
    assert stop.wait(60.0) == "MaxRuntimeExceeded"
    (tmp_path / "stop").touch()
    with pytest.raises(StopAsked, match="MaxRuntimeExceeded"):
        stop.check()
    assert StopSignal(tmp_path / "stop", lambda: 0.0).reason() == "Stopped"


def test_what_finds_no_room_leaves_no_half_line(tmp_path: Path) -> None:
    reporter = _reporter(tmp_path)
    reporter.stage("Starting", "")
    size = InstanceFiles(tmp_path).events.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            reporter.stage("Downloading", "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    reporter.ended(Outcome(ending="Completed", exit_code=0))
    assert [(event.seq, event.stage) for event in InstanceFiles(tmp_path).read_events()] == [(1, "Starting"), (2, None)]
