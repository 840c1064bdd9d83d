"""Checkpoints on real containers: restored, kept up to date while training runs, complete however it ends."""

import json
from contextlib import suppress
from typing import Any

import pytest

from sagestone.containers.runtime import RuntimeFailure
from sagestone.domain.assignment import Host, Limits
from sagestone.domain.checkpoint import Checkpoint
from tests.contract.training.training_instance import Ground, TrainingInstance

MIB = 1024 * 1024
CONFIG = Checkpoint(s3_uri="s3://bucket/ckpt")

#: Counts steps, one checkpoint each, going on from the last one that it finds; waits at each step that `stops` names.
COUNTING = """
    cd ${CHECKPOINTS:-/opt/ml/checkpoints}
    step=0; while [ -e step-$((step+1)) ]; do step=$((step+1)); done
    echo "begins after $step"
    while [ $step -lt $LAST ]; do
      step=$((step+1)); echo "state $step" > step-$step.sagemaker-ignore
      mv step-$step.sagemaker-ignore step-$step; echo "made $step"
    done
    eval "$THEN"
"""


def _counting(ground: Ground, last: int, then: str = "exit 0", **job: Any) -> TrainingInstance:
    environment = {"LAST": str(last), "THEN": then, **job.pop("environment", {})}
    return TrainingInstance(ground, COUNTING, environment=environment, **{"checkpoint": CONFIG, "grace": 1.0, **job})


def _stored(ground: Ground) -> dict[str, bytes]:
    return {name: ground.get(f"ckpt/{name}") for name in _names(ground)}


def _names(ground: Ground) -> set[str]:
    """What S3 has at this moment, while it may change."""
    return {key.removeprefix("ckpt/") for key in ground.keys() if key.startswith("ckpt/")}  # noqa: SIM118


FOREVER = "while :; do sleep 0.05; done"


def test_a_second_job_goes_on_where_a_killed_one_stopped(ground: Ground) -> None:
    first = _counting(ground, 3, FOREVER, name="first").start()
    first.await_true(lambda: len(_names(ground)) == 3, "three checkpoints in S3 while the job runs")
    (container,) = ground.platform.runtime.find(first.assignment.labels)
    with suppress(RuntimeFailure):  # the agent may have removed it before its exit is asked for
        ground.platform.runtime.stop(container.id, 0.0)  # from outside, without a warning
    assert first.outcome().ending == "Failed"
    second = _counting(ground, 5, name="second")
    assert second.run().ending == "Completed"
    assert second.log()[0] == "begins after 3"
    assert _stored(ground) == {f"step-{step}": f"state {step}\n".encode() for step in range(1, 6)}
    assert not first.left_behind()
    assert not second.left_behind()


def test_an_agent_that_dies_is_followed_by_one_that_goes_on_keeping_checkpoints(ground: Ground) -> None:
    instance = _counting(ground, 2, "until [ -e go ]; do sleep 0.05; done; echo late > late; rm step-1; " + FOREVER)
    instance.start()
    instance.await_true(lambda: len(_names(ground)) == 2, "two checkpoints in S3")
    instance.kill()
    (instance.files.opt_ml / "checkpoints" / "go").touch()
    instance.start()
    instance.await_true(lambda: _names(ground) == {"step-2", "late", "go"}, "what happened meanwhile in S3")
    instance.stop()
    assert instance.outcome().ending == "Stopped"
    assert set(_stored(ground)) == {"step-2", "late", "go"}


def test_an_agent_that_is_killed_again_and_again_loses_nothing_and_leaves_nothing(ground: Ground) -> None:
    program = """
        cd /opt/ml/checkpoints; i=0
        while [ $i -lt 60 ]; do
          i=$((i+1)); echo $i > step-$i; echo $i > latest; rm -f step-$((i-5)); echo at $i; sleep 0.1
        done
        find . -type f ! -name '*.sagemaker-*' -exec cp {} /opt/ml/model ';'
    """
    instance = TrainingInstance(ground, program, checkpoint=CONFIG).start()
    for step in (7, 21, 26, 45):
        instance.await_line(f"at {step}")
        instance.kill()
        instance.start()
    assert instance.outcome().ending == "Completed"
    expected = {f"step-{step}": f"{step}\n".encode() for step in range(56, 61)} | {"latest": b"60\n"}
    assert _stored(ground) == expected
    assert ground.archive("out/job/output/model.tar.gz") == expected


@pytest.mark.parametrize(
    ("then", "ending"),
    [
        ("exit 0", "Completed"),
        ("exit 3", "Failed"),
        ("trap 'echo last > last; exit 0' TERM; echo ready; " + FOREVER, "Stopped"),
        ("trap 'echo last > last; exit 0' TERM; echo ready; " + FOREVER, "MaxRuntimeExceeded"),
    ],
)
def test_however_it_ends_the_last_checkpoints_are_kept(ground: Ground, then: str, ending: str) -> None:
    limit = {"max_runtime_seconds": 5} if ending == "MaxRuntimeExceeded" else {}
    instance = _counting(ground, 1, then, **limit).start()
    if ending == "Stopped":
        instance.await_line("ready")
        instance.stop()
    assert instance.outcome().ending == ending
    assert _stored(ground)["step-1"] == b"state 1\n"
    if "last" in then:
        assert _stored(ground)["last"] == b"last\n"


def test_any_path_will_do_and_the_container_is_told_where(ground: Ground) -> None:
    ground.put("ckpt/deep/old", b"old")
    ground.put("ckpt-other/not-ours", b"x")
    program = """
        cat /opt/ml/input/config/checkpointconfig.json; echo; cat /opt/ml/input/data/checkpoints-manifest
        find /state -type f; echo new > /state/new; ls -d /opt/ml/checkpoints 2>/dev/null
    """
    instance = TrainingInstance(ground, program, checkpoint=Checkpoint(s3_uri="s3://bucket/ckpt", local_path="/state/"))
    assert instance.run().ending == "Failed"  # there is no other directory of that name
    assert json.loads(instance.log()[0]) == {"LocalPath": "/state/"}
    assert instance.log()[1:4] == ["ckpt/", "s3://bucket/ckpt/deep/old", "/state/deep/old"]
    assert _stored(ground) == {"deep/old": b"old", "new": b"new\n"}


def test_nothing_to_restore_is_no_failure(ground: Ground) -> None:
    program = "cat /opt/ml/input/data/checkpoints-manifest; ls /opt/ml/checkpoints | wc -l"
    instance = TrainingInstance(ground, program, checkpoint=CONFIG)
    assert instance.run().ending == "Completed"
    assert instance.log() == ["ckpt/", "0"]
    assert _stored(ground) == {}
    gone = TrainingInstance(ground, "true", name="gone", checkpoint=Checkpoint(s3_uri="s3://no-such-bucket/ckpt"))
    outcome = gone.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Data download failed:Checkpoints: s3://no-such-bucket/ckpt/")


def test_checkpoints_count_against_the_volume(ground: Ground) -> None:
    ground.put("ckpt/big", b"x" * 3 * MIB)
    limits = Limits(volume_bytes=2 * MIB)
    restored = TrainingInstance(ground, "true", name="restored", checkpoint=CONFIG, limits=limits).run()
    assert restored.failure is not None
    assert "Insufficient disk space: channel checkpoints has 3.0 MiB" in restored.failure.message
    program = f"head -c {8 * MIB} /dev/zero > /state/big; {FOREVER}"
    place = Checkpoint(s3_uri="s3://bucket/empty", local_path="/state")
    written = TrainingInstance(ground, program, name="written", checkpoint=place, limits=limits, grace=0.1).run()
    assert written.failure is not None
    assert written.failure.reason.startswith("ClientError: Insufficient disk space")


def test_hostile_names_stay_inside_and_are_told(ground: Ground) -> None:
    program = """
        cd /opt/ml/checkpoints; ln -s /etc/passwd link; ln -s / root; mkfifo pipe; echo fine > ..fine
        echo fine > '-rf *'
        mkdir 'a
b'; echo fine > 'a
b/c'
    """
    instance = TrainingInstance(ground, program, checkpoint=CONFIG)
    assert instance.run().ending == "Completed"
    assert _stored(ground) == {"..fine": b"fine\n", "-rf *": b"fine\n", "a\nb/c": b"fine\n"}
    assert sorted(line for line in instance.log() if line.startswith("[sagestone]")) == [
        "[sagestone] checkpoints: 'link' is left out: it is a link, and S3 has none",
        "[sagestone] checkpoints: 'pipe' is left out: it is a device, socket or pipe",
        "[sagestone] checkpoints: 'root' is left out: it is a link, and S3 has none",
    ]


def test_every_host_gets_all_and_keeps_its_own(ground: Ground, network: str) -> None:
    ground.put("ckpt/shared", b"from before")
    program = """
        cat /opt/ml/checkpoints/shared; echo; echo mine > /opt/ml/checkpoints/$(hostname)
        if [ $(hostname) = algo-2 ]; then rm /opt/ml/checkpoints/shared; fi
    """
    hosts = [
        TrainingInstance(ground, program, host=Host(number=number, count=2), network=network, checkpoint=CONFIG)
        for number in (1, 2)
    ]
    hosts[1].start()
    hosts[1].await_line("from before")
    hosts[0].start()  # late, and still finds what there was before the other one changed it
    assert [host.outcome().ending for host in hosts] == ["Completed"] * 2
    assert [host.log()[0] for host in hosts] == ["from before"] * 2
    assert _stored(ground) == {"algo-1": b"mine\n", "algo-2": b"mine\n"}
    assert not hosts[1].left_behind()


def test_many_checkpoints_all_arrive(ground: Ground) -> None:
    program = "cd /opt/ml/checkpoints; i=0; while [ $i -lt 500 ]; do echo $i > $i; i=$((i+1)); done; echo written"
    instance = TrainingInstance(ground, program, checkpoint=CONFIG)
    assert instance.run().ending == "Completed"
    assert len(_stored(ground)) == 500
