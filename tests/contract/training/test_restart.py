"""An agent that dies at any point is followed by another one: nothing runs twice, nothing is told twice."""

import contextlib
import json

import pytest

from sagestone.containers.runtime import Exit
from sagestone.domain.channel import Channel
from sagestone.domain.metric import MetricDefinition
from tests.contract.training.training_instance import Ground, TrainingInstance

#: Says what it does, and goes on when the test lets it (by a file that it sees in its input).
PATIENT = """
    echo started >> /opt/ml/model/starts
    i=0; while [ $i -lt 300 ]; do echo "line $i score=$i"; i=$((i+1)); done
    echo ready
    until [ -e /opt/ml/input/go ]; do sleep 0.02; done
    while [ $i -lt 500 ]; do echo "line $i score=$i"; i=$((i+1)); done
"""
SCORE = (MetricDefinition(name="score", regex="score=([0-9]+)"),)


def _end_unseen(ground: Ground, instance: TrainingInstance) -> Exit:
    """Kill its agent, and have its container end with nobody there to see it."""
    instance.kill()
    _go(instance)
    (container,) = ground.platform.runtime.find(instance.assignment.labels)
    exit_ = ground.platform.runtime.wait(container.id, 60.0)
    assert exit_ is not None
    return exit_


def _go(instance: TrainingInstance) -> None:
    (instance.files.opt_ml / "input" / "go").touch()


def _check_ran_once(ground: Ground, instance: TrainingInstance) -> None:
    assert ground.archive("out/job/output/model.tar.gz") == {"starts": b"started\n"}
    lines = [line.partition(" score")[0] for line in instance.log() if line != "ready"]
    assert lines == [f"line {number}" for number in range(500)]
    events = instance.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert instance.stages() == ["Starting", "Downloading", "Training", "Uploading"]
    values = [point.value for event in events for point in event.metrics]
    assert values == [float(number) for number in range(500)]
    assert instance.left_behind() == []


def test_killed_while_training_and_started_again(ground: Ground) -> None:
    instance = TrainingInstance(ground, PATIENT, metric_definitions=SCORE).start()
    instance.await_line("ready")
    for _ in range(3):
        instance.kill()
        instance.start()
        instance.await_line("ready")
    _go(instance)
    assert instance.outcome().ending == "Completed"
    _check_ran_once(ground, instance)


def test_killed_and_started_again_after_the_container_has_ended(ground: Ground) -> None:
    instance = TrainingInstance(ground, PATIENT, metric_definitions=SCORE).start()
    instance.await_line("ready")
    assert _end_unseen(ground, instance).code == 0
    assert instance.run().ending == "Completed"
    _check_ran_once(ground, instance)


def test_two_agents_at_once_are_one(ground: Ground) -> None:
    instance = TrainingInstance(ground, PATIENT).start()
    instance.await_line("ready")
    second = TrainingInstance(ground, PATIENT).start()
    assert second.ended() == 0  # at once: the lock is held
    _go(instance)
    assert instance.outcome().ending == "Completed"
    assert ground.archive("out/job/output/model.tar.gz") == {"starts": b"started\n"}


def test_a_container_that_vanished_fails_the_job_and_is_not_started_again(ground: Ground) -> None:
    instance = TrainingInstance(ground, PATIENT).start()
    instance.await_line("ready")
    instance.kill()
    (container,) = ground.platform.runtime.find(instance.assignment.labels)
    ground.platform.runtime.remove(container.id)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.fault == "internal"
    assert "The container of algo-1 is gone" in outcome.failure.message
    assert instance.log().count("ready") == 1


def test_a_stop_that_came_while_no_agent_lived_is_carried_out(ground: Ground) -> None:
    instance = TrainingInstance(ground, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done").start()
    instance.await_line("ready")
    instance.kill()
    instance.stop()
    assert instance.run().ending == "Stopped"
    assert instance.left_behind() == []


def test_killed_while_downloading_and_started_again(ground: Ground) -> None:
    for number in range(300):
        ground.put(f"in/{number:03}", b"x" * 2000)
    channel = Channel(
        name="train",
        s3_data_type="S3Prefix",
        s3_uri="s3://bucket/in/",
        distribution="FullyReplicated",
        input_mode="File",
    )
    program = "cd /opt/ml/input/data/train; ls | wc -l; ls -i > /opt/ml/output/data/inodes"
    instance = TrainingInstance(ground, program, channels=(channel,)).start()
    data = instance.files.opt_ml / "input" / "data" / "train"
    journal = instance.files.scratch / "fetched" / "train"
    lines: list[bytes] = []

    def some_are_whole() -> bool:
        with contextlib.suppress(FileNotFoundError):  # it goes when all is there
            lines[:] = journal.read_bytes().split(b"\n")[1:-1]
        return len(lines) > 1 or "Training" in instance.stages()

    instance.await_true(some_are_whole, "the first object")
    instance.kill()
    whole = [json.loads(line)[0] for line in lines]
    kept = {name: (data / name).stat().st_ino for name in whole}
    assert instance.run().ending == "Completed"
    assert instance.log() == ["300"]
    listed = ground.archive("out/job/output/output.tar.gz")["inodes"]
    assert isinstance(listed, bytes)
    found = {name: int(inode) for inode, name in (line.split() for line in listed.decode().splitlines())}
    assert kept.items() <= found.items()  # the same files: nothing that was whole was fetched again


@pytest.mark.parametrize("moment", range(6))
def test_killed_at_some_moment_the_program_never_runs_twice(ground: Ground, moment: int) -> None:
    instance = TrainingInstance(ground, "echo started >> /opt/ml/model/starts; sleep 0.1").start()
    instance.await_true(lambda: len(instance.events()) > moment // 2, f"event {moment // 2 + 1}")
    instance.kill()
    outcome = instance.run()
    if outcome.ending == "Completed":
        assert ground.archive("out/job/output/model.tar.gz") == {"starts": b"started\n"}
    else:  # it died while it started the container, and the runtime lost it: never in doubt, never again
        assert outcome.failure is not None
        assert "gone" in outcome.failure.message or "killed" in outcome.failure.message
    assert instance.left_behind() == []


@pytest.mark.parametrize("why", ["Stopped", "Interrupted", "MaxRuntimeExceeded"])
def test_killed_while_it_stops_the_container_which_then_ends_in_its_own_way(ground: Ground, why: str) -> None:
    program = """
        trap 'touch /opt/ml/output/stopping; until [ -e /opt/ml/input/go ]; do sleep 0.02; done; exit 3' TERM
        echo ready; while :; do sleep 0.05; done
    """
    seconds = 2 if why == "MaxRuntimeExceeded" else 600
    instance = TrainingInstance(ground, program, grace=60.0, max_runtime_seconds=seconds).start()
    instance.await_line("ready")
    if why != "MaxRuntimeExceeded":
        instance.files.write_stop(why)
    instance.await_true((instance.files.opt_ml / "output" / "stopping").exists, "the program to be told to end")
    assert _end_unseen(ground, instance).code == 3
    outcome = instance.run()
    assert (outcome.ending, outcome.exit_code, outcome.failure) == (why, 3, None)
    assert instance.left_behind() == []
