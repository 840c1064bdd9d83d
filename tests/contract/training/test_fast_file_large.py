"""FastFile channels of so many objects that their programs begin before they are listed."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.channels.fuse.mount import complaint
from tests.contract.training.test_fast_file import TRAIN, check_nothing_is_left, mounted
from tests.contract.training.test_fast_file import ground as ground
from tests.contract.training.training_instance import Ground, TrainingInstance
from tests.many_objects import CONTENT, add_objects

COUNT = 4500  # more than are given names of their own beside the embedded store


@pytest.fixture(autouse=True)
def _large(ground: Ground) -> None:
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    add_objects(ground.directory / "s3", "bucket", [f"in/{number % 10}/{number:05}" for number in range(COUNT)])


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_all_files_are_there_and_can_be_read(ground: Ground) -> None:
    program = f"""
        cd /opt/ml/input/data/train
        cat 9/{COUNT - 1:05}; echo
        ls
        find . -type f | wc -l
        cat */* | wc -c
        [ -e 9/none ] || [ -e none ] || echo nothing else
        echo x 2>/dev/null > 9/{COUNT - 1:05} || touch 9/new 2>/dev/null || echo read-only
    """
    instance = TrainingInstance(ground, program, channels=(TRAIN,))
    outcome = instance.run()
    assert (outcome.ending, outcome.failure) == ("Completed", None)
    expected = [CONTENT.decode(), *"0123456789", f"{COUNT}", f"{COUNT * len(CONTENT)}", "nothing else", "read-only"]
    assert [line.strip() for line in instance.log()] == expected
    check_nothing_is_left(instance)


@pytest.mark.parametrize("key", ["in/zz//x", "in/9/04499/x"])
def test_a_program_that_ends_before_a_bad_key_is_listed_has_not_done_well(ground: Ground, key: str) -> None:
    ground.put(key, b"bad")
    instance = TrainingInstance(ground, "head -c 3 /opt/ml/input/data/train/0/00000; exit 0", channels=(TRAIN,))
    failure = instance.run().failure
    assert failure is not None
    assert failure.reason.startswith("ClientError: Data download failed:Failed to download data. S3 key: s3://bucket/")
    assert key in failure.reason
    check_nothing_is_left(instance)


def test_a_prefix_that_ends_in_the_middle_of_a_name_far_behind_is_refused_at_once(ground: Ground) -> None:
    ground.put("in0", b"behind all others")
    instance = TrainingInstance(ground, "echo ran", channels=(replace(TRAIN, s3_uri="s3://bucket/in"),))
    failure = instance.run().failure
    assert failure is not None
    assert "partial S3 prefix is not supported" in failure.reason
    assert "s3://bucket/in0" in failure.reason
    assert instance.log() == []
    check_nothing_is_left(instance)


def test_objects_that_go_stay_as_listed_beside_the_store_and_else_fail_the_job(ground: Ground) -> None:
    program = """
        cd /opt/ml/input/data/train; echo ready
        until [ -e /opt/ml/input/go ]; do sleep 0.02; done
        cat 5/00005 5/00015
    """
    instance = TrainingInstance(ground, program, channels=(TRAIN,)).start()
    instance.await_line("ready")
    assert mounted(instance) != []
    _eventually((instance.files.fast_file / "train.listed").exists)
    ground.put("in/5/00005", b"overwritten")
    ground.remove("in/5/00015")
    (instance.files.opt_ml / "input" / "go").touch()
    outcome = instance.outcome()
    if ground.s3_part is None:
        assert outcome.ending == "Completed"
        assert instance.log() == ["ready", 2 * CONTENT.decode()]
    else:
        assert outcome.failure is not None
        assert "s3://bucket/in/5/00005: the object was overwritten" in outcome.failure.message
    check_nothing_is_left(instance)


def test_an_agent_that_dies_while_the_channel_is_listed_is_followed_by_another_one(ground: Ground) -> None:
    program = "echo ready; until [ -e /opt/ml/input/go ]; do sleep 0.02; done; cat /opt/ml/input/data/train/9/00009"
    instance = TrainingInstance(ground, program, channels=(TRAIN,)).start()
    instance.await_line("ready")
    instance.kill()
    instance.start()
    Path(instance.files.opt_ml / "input" / "go").touch()
    assert instance.outcome().ending == "Completed"
    assert instance.log() == ["ready", CONTENT.decode()]
    check_nothing_is_left(instance)
