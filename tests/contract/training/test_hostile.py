"""Training programs that mean harm to the agent: what they leave for it to read, and what they make it do."""

import time

import pytest

from sagestone.domain.assignment import Limits
from tests.contract.training.training_instance import PATIENCE_SECONDS, Ground, TrainingInstance


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
def test_a_directory_that_became_a_link_to_the_machine_is_not_uploaded(ground: Ground, compression: str) -> None:
    secret = ground.directory / "secret"
    secret.mkdir()
    (secret / "keys").write_text("of the machine")
    program = f"""
        cd /opt/ml/output; rm -r data; ln -s {secret} data; ls data && echo seen
        echo fine > /opt/ml/model/file
    """
    instance = TrainingInstance(ground, program, output_compression=compression)
    assert instance.run().ending == "Completed"
    assert not any("output/output" in key for key in ground.keys())  # noqa: SIM118  a method of ours
    assert "[sagestone] output: 'data' was left out: it is no directory any more" in instance.log()
    assert "seen" not in instance.log()


def test_what_was_left_out_is_in_the_log_before_the_end_is_told(ground: Ground) -> None:
    instance = TrainingInstance(ground, "ln -s /etc /opt/ml/model/etc; echo fine > /opt/ml/model/file").start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(event.outcome for event in instance.events()):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    instance.kill()  # nothing more is written
    assert "[sagestone] model: 'etc' was left out: it is a link that may lead outside: '/etc'" in instance.log()
    assert instance.run().ending == "Completed"  # the next agent puts away what there is


def test_a_model_full_of_holes_fills_no_store(ground: Ground) -> None:
    program = "dd if=/dev/zero of=/opt/ml/model/sparse bs=1 count=1 seek=1099511627775 2>/dev/null"
    outcome = TrainingInstance(ground, program, limits=Limits(volume_bytes=1 << 30)).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Artifact upload failed:")
    assert "sparse" in outcome.failure.reason
    assert ground.keys() == []


def test_names_without_end_use_up_the_volume(ground: Ground) -> None:
    program = "cd /opt/ml/model; i=0; while true; do mkdir $i; i=$((i+1)); done"
    outcome = TrainingInstance(ground, program, limits=Limits(volume_bytes=1 << 20), grace=0.2).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Insufficient disk space: ")


def test_a_failure_file_of_any_kind_holds_nobody(ground: Ground) -> None:
    kinds = {
        "mkfifo failure": "AlgorithmError: , exit code: 1",
        "ln -s /dev/zero failure": "AlgorithmError: , exit code: 1",
        "mkdir failure": "AlgorithmError: , exit code: 1",
        "dd if=/dev/zero of=failure bs=1 count=1 seek=8589934592 2>/dev/null": "AlgorithmError: , exit code: 1",
    }
    for number, (kind, reason) in enumerate(kinds.items()):
        outcome = TrainingInstance(ground, f"cd /opt/ml/output; {kind}; exit 1", name=f"job-{number}").run()
        assert outcome.failure is not None
        assert outcome.failure.reason == reason


def test_what_it_leaves_can_be_run_by_nobody_else(ground: Ground) -> None:
    program = "cp /bin/busybox /opt/ml/model/su; chmod 6777 /opt/ml/model/su; echo ready; sleep 600"
    instance = TrainingInstance(ground, program, grace=0.2).start()
    instance.await_line("ready")
    left = instance.files.opt_ml / "model" / "su"
    assert left.stat().st_mode & 0o4000
    above = [path for path in left.parents if path.is_relative_to(ground.directory / "jobs")]
    assert any(path.stat().st_mode & 0o011 == 0 for path in above)
    instance.stop()
    instance.outcome()


@pytest.mark.parametrize("file", ["/tmp/big", "/etc/hosts", "/root/big"])
def test_what_it_writes_beside_its_volume_is_limited(ground: Ground, file: str) -> None:
    program = f"dd if=/dev/zero of={file} bs=1M count=8 oflag=append conv=notrunc 2>/dev/null; while true; do :; done"
    outcome = TrainingInstance(ground, program, limits=Limits(outside_bytes=4 << 20, cpus=0.2), grace=0.2).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Insufficient disk space: ")
    assert " in the container outside /opt/ml, where 4.0 MiB may be." in outcome.failure.reason
