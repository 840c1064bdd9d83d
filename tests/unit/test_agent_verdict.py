"""Why a container ended: the sentences that users read."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.agent.verdict import Ended, agent_failed, judge, last_useful_lines, not_started, read_failure_file
from sagestone.agent.volume import UNMEASURED
from sagestone.containers.runtime import Exit
from sagestone.domain.assignment import Host, Limits, TrainingAssignment
from sagestone.domain.failure import Failure
from sagestone.domain.image import ImageReference
from sagestone.domain.training_job import TrainingJobSpec

JOB = TrainingJobSpec(
    name="job",
    arn="arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
    role_arn="arn:aws:iam::123456789012:role/r",
    image=ImageReference(uri="algo:1", digest="sha256:" + "0" * 64),
    output_uri="s3://b/out",
    instance_type="ml.m5.large",
)


def _assignment(hosts: int = 1) -> TrainingAssignment:
    return TrainingAssignment(
        job=JOB,
        host=Host(number=hosts, count=hosts),
        region="us-east-1",
        created_at=0.0,
        limits=Limits(memory_bytes=8 * 1024**3, volume_bytes=1024**3),
    )


def _reason(ended: Ended, hosts: int = 1) -> str:
    failure = judge(_assignment(hosts), ended).failure
    assert failure is not None
    return failure.reason


def test_exit_code_0_is_completed_whatever_the_failure_file_says() -> None:
    outcome = judge(_assignment(), Ended(exit=Exit(code=0), failure_text="oh", last_lines=["no"]))
    assert (outcome.ending, outcome.exit_code, outcome.failure) == ("Completed", 0, None)


def test_the_failure_file_comes_first_then_the_log() -> None:
    ended = Ended(exit=Exit(code=2), failure_text="bad depth", last_lines=["ignored"])
    assert _reason(ended) == "AlgorithmError: bad depth, exit code: 2"
    assert _reason(Ended(exit=Exit(code=1), failure_text=None, last_lines=[])) == "AlgorithmError: , exit code: 1"
    ended = Ended(exit=Exit(code=1), failure_text=None, last_lines=["reading", "no such column: y"])
    assert _reason(ended) == "AlgorithmError: reading\nno such column: y, exit code: 1"
    assert _reason(ended, hosts=2) == "AlgorithmError: reading\nno such column: y, exit code: 1 (algo-2)"


def test_memory_and_volume_are_the_clients_and_come_with_sizes() -> None:
    reason = _reason(Ended(exit=Exit(code=137, out_of_memory=True), failure_text=None, last_lines=["epoch 3"]))
    assert reason.startswith(
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
        "instance."
    )
    assert "8.0 GiB (ml.m5.large)" in reason
    assert reason.endswith("exit code: 137. Last log line: epoch 3")
    full = Ended(exit=Exit(code=1), failure_text="No space left on device", last_lines=[], volume_used=2 * 1024**3)
    assert _reason(full).startswith(
        "ClientError: Insufficient disk space: 2.0 GiB are in /opt/ml, the volume holds 1.0"
    )
    deep = Ended(exit=Exit(code=0), failure_text=None, last_lines=[], volume_used=UNMEASURED + 4096)
    assert _reason(deep).startswith("ClientError: Insufficient disk space: what is in /opt/ml cannot be measured")


def test_a_program_that_was_killed_by_somebody_else_is_told_so() -> None:
    reason = _reason(Ended(exit=Exit(code=137), failure_text=None, last_lines=["epoch 3"]))
    assert reason.startswith("AlgorithmError: epoch 3, exit code: 137. Something killed the program (SIGKILL)")


@given(text=st.text(max_size=3000), lines=st.lists(st.text(max_size=900), max_size=9), code=st.integers(1, 255))
def test_a_reason_has_at_most_1024_characters_and_its_exit_code(text: str, lines: list[str], code: int) -> None:
    for failure_text in (text or None, None):
        reason = _reason(Ended(exit=Exit(code=code), failure_text=failure_text, last_lines=lines))
        assert len(reason) <= 1024
        assert f", exit code: {code}" in reason[-130:]


def test_what_follows_a_long_key_is_seen_in_a_reason() -> None:
    key = "s3://bucket/" + "k" * 1000
    reason = Failure(fault="client", message=f"{key}: {key} has a key that is too long").reason
    assert len(reason) < 400
    assert reason.startswith("ClientError: s3://bucket/kk")
    assert reason.endswith("k has a key that is too long")


def test_the_useful_lines_are_the_exception_after_a_traceback() -> None:
    log = [
        "loading",
        "Traceback (most recent call last):",
        '  File "/train.py", line 3, in <module>',
        "    fit(x)",
        "ValueError: y has 2 classes,",
        "expected 3",
    ]
    assert last_useful_lines(log) == ["ValueError: y has 2 classes,", "expected 3"]
    assert last_useful_lines(["a", "b", "", "c", "d", "e", "[sagestone] said by us"]) == ["b", "c", "d", "e"]
    assert last_useful_lines(["short", "x" * 2000]) == ["x" * 600]
    assert last_useful_lines(["Traceback (most recent call last):"]) == ["Traceback (most recent call last):"]


def test_a_container_that_never_ran_names_the_image_and_the_remedy() -> None:
    outcome = not_started(_assignment(), 'exec: "train": executable file not found in $PATH')
    assert outcome.exit_code is None
    assert outcome.failure is not None
    assert outcome.failure.fault == "algorithm"
    assert 'algo:1 could not be started with the argument train: exec: "train"' in outcome.failure.message
    assert "ENTRYPOINT" in outcome.failure.message


@pytest.mark.parametrize("content", ["", "  \n", None])
def test_no_text_in_the_failure_file_is_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "failure").write_text(content)
    assert read_failure_file(tmp_path / "failure") is None


def test_only_an_ordinary_failure_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the host")
    (tmp_path / "link").symlink_to("secret")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    assert [read_failure_file(tmp_path / name) for name in ("link", "pipe", "directory")] == [None] * 3
    (tmp_path / "failure").write_bytes(b"\xff" + "é".encode() * 3000)
    text = read_failure_file(tmp_path / "failure")
    assert text == "�" + "é" * 1023
    assert Failure(fault="algorithm", message=text).reason.startswith("AlgorithmError: ")


def test_a_full_disk_is_named_where_the_agent_fails_for_it() -> None:
    full = agent_failed("algo-1", OSError(errno.ENOSPC, "No space left on device"), Path("/jobs/j"))
    assert full.message == (
        "The agent of algo-1 failed: the disk that holds /jobs/j is full. Free space there and ask for the job anew"
    )
    assert full.fault == "internal"
    other = agent_failed("algo-1", ValueError("no"), Path("/jobs/j"))
    assert other.message == "The agent of algo-1 failed: ValueError: no"
