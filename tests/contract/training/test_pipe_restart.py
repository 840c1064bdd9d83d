"""An agent that dies while channels are piped: the job goes on where that is certain, and fails where it is not."""

import pytest

from tests.contract.training.pipes import MEBIBYTE, TRUTH, numbered, pipe
from tests.contract.training.training_instance import Ground, TrainingInstance

_WAIT = "until [ -e /opt/ml/input/go ]; do sleep 0.02; done"


def _go(instance: TrainingInstance) -> None:
    (instance.files.opt_ml / "input" / "go").touch()


def test_killed_in_the_middle_of_an_epoch_the_job_fails_though_the_program_is_content(ground: Ground) -> None:
    numbered(ground, 8, lambda number: b"x" * MEBIBYTE)
    program = f"exec 3< /opt/ml/input/data/train_0; head -c 10 <&3; echo; echo begun; {_WAIT}; cat <&3 > /dev/null"
    instance = TrainingInstance(ground, program, channels=(pipe(),)).start()
    instance.await_line("begun")
    instance.kill()
    _go(instance)
    (container,) = ground.platform.runtime.find(instance.assignment.labels)
    exit_ = ground.platform.runtime.wait(container.id, 60.0)
    assert exit_ is not None
    assert exit_.code == 0  # the break was the end of the data for it
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.fault == "internal"
    assert "The agent died while it streamed epoch 0 of channel train" in outcome.failure.message
    assert not instance.left_behind()


def test_killed_in_the_middle_a_program_that_still_runs_is_stopped(ground: Ground) -> None:
    numbered(ground, 8, lambda number: b"x" * MEBIBYTE)
    program = "exec 3< /opt/ml/input/data/train_0; head -c 10 <&3; echo; echo begun; while :; do sleep 0.05; done"
    instance = TrainingInstance(ground, program, channels=(pipe(),), grace=0.5).start()
    instance.await_line("begun")
    instance.kill()
    outcome = instance.run()
    assert outcome.failure is not None
    assert "epoch 0 of channel train" in outcome.failure.message
    assert outcome.exit_code == 137


@pytest.mark.parametrize("code", [0, 3])
def test_killed_before_anybody_read_it_is_in_doubt_where_nobody_ever_does(ground: Ground, code: int) -> None:
    numbered(ground, 2, lambda number: b"x")
    program = f"echo up; {_WAIT}; exit {code}"  # as one that had read nothing but the end of the data
    instance = TrainingInstance(ground, program, channels=(pipe(),)).start()
    instance.await_line("up")
    instance.kill()
    _go(instance)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.fault == "internal"
    assert "The agent died before it streamed channel train" in outcome.failure.message
    assert not instance.left_behind()


def test_killed_before_and_between_epochs_nothing_is_lost(ground: Ground) -> None:
    numbered(ground, 5, lambda number: bytes([65 + number]) * (MEBIBYTE - number))
    program = f"""
        cd /opt/ml/input/data; echo up; {_WAIT}
        cmp train_0 truth/all && echo same
        cmp train_1 truth/all && echo same
        echo between; until [ -e ../on ]; do sleep 0.02; done
        cmp train_2 truth/all && echo same
        cmp other_0 truth/all && echo same
    """
    instance = TrainingInstance(ground, program, channels=(TRUTH, pipe(), pipe("other"))).start()
    instance.await_line("up")
    instance.kill()
    instance.start()
    _go(instance)
    instance.await_line("between")
    instance.await_true((instance.files.opt_ml / "input" / "data" / "train_2").exists, "the FIFO of epoch 2")
    instance.await_true(lambda: "2 offered" in (instance.files.scratch / "pipe-train.epoch").read_text(), "epoch 2")
    instance.kill()
    (instance.files.opt_ml / "input" / "on").touch()
    assert instance.run().ending == "Completed"
    assert instance.log() == ["up", "same", "same", "between", "same", "same"]
    assert not instance.left_behind()


def test_killed_while_the_channel_is_listed_it_is_listed_again(ground: Ground) -> None:
    numbered(ground, 300, lambda number: bytes([number % 256]) * 1000)
    program = "cmp /opt/ml/input/data/train_0 /opt/ml/input/data/truth/all && echo same"
    instance = TrainingInstance(ground, program, channels=(pipe(), TRUTH)).start()
    instance.await_true((instance.files.scratch / "pipe-train.list").exists, "the list")
    instance.kill()
    assert instance.run().ending == "Completed"
    assert instance.log() == ["same"]


@pytest.mark.parametrize("state", ["0 offered", "0 begun", "1 offered", "1 begun", "2 begun", "3 offered"])
def test_killed_at_some_moment_a_completed_job_has_read_everything(ground: Ground, state: str) -> None:
    numbered(ground, 6, lambda number: bytes([65 + number]) * (MEBIBYTE + number))
    program = """
        cd /opt/ml/input/data
        for epoch in 0 1 2; do
            { dd bs=65536 count=4 2> /dev/null; sleep 0.05; cat; } < train_$epoch > /tmp/read; sleep 0.05
            cmp /tmp/read truth/all && echo same
        done
        exit 0
    """
    instance = TrainingInstance(ground, program, channels=(TRUTH, pipe())).start()
    states = [f"{epoch} {word}" for epoch in range(4) for word in ("offered", "begun")]
    journal = instance.files.scratch / "pipe-train.epoch"
    instance.await_true(lambda: journal.exists() and journal.read_text() in states[states.index(state) :], state)
    instance.kill()
    outcome = instance.run()
    if outcome.ending == "Completed":
        assert instance.log() == ["same"] * 3
    else:
        assert outcome.failure is not None
        assert "The agent died while it streamed epoch" in outcome.failure.message or state == "0 offered"
        assert outcome.failure.fault == "internal"
    assert not instance.left_behind()
