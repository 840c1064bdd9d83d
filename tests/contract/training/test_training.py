"""One host of a training job, carried out by the real agent process."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.assignment import Host, Limits
from sagestone.domain.channel import Channel
from sagestone.domain.image import ImageReference
from sagestone.domain.metric import MetricDefinition
from tests.contract.training.training_instance import Ground, TrainingInstance
from tests.images import write_archive

TRAIN = Channel(
    name="train", s3_data_type="S3Prefix", s3_uri="s3://bucket/in", distribution="FullyReplicated", input_mode="File"
)


def test_a_job_trains_on_its_data_and_leaves_its_model(ground: Ground) -> None:
    ground.put("in/a.csv", b"1,2\n3,4\n")
    ground.put("in/more/b.csv", b"5,6\n")
    program = """
        cat /opt/ml/input/data/train/a.csv /opt/ml/input/data/train/more/b.csv > /opt/ml/model/weights
        cp /opt/ml/input/config/*.json /opt/ml/input/data/train-manifest /opt/ml/output/data
        echo "$TRAINING_JOB_NAME on $(hostname) in $AWS_REGION, $1"
        printf 'loss=0.5\\tlower\\n' >&2
        echo loss=0.25
    """
    instance = TrainingInstance(
        ground,
        program,
        channels=(TRAIN,),
        hyperparameters={"depth": "3"},
        metric_definitions=(MetricDefinition(name="loss", regex="loss=([0-9.]+)"),),
    )
    outcome = instance.run()
    assert (outcome.ending, outcome.exit_code, outcome.failure) == ("Completed", 0, None)
    assert outcome.artifact_uri == "s3://bucket/out/job/output/model.tar.gz" == instance.assignment.job.artifact_uri
    assert ground.archive("out/job/output/model.tar.gz") == {"weights": b"1,2\n3,4\n5,6\n"}
    output = ground.archive("out/job/output/output.tar.gz")
    assert output["hyperparameters.json"] == b'{"depth": "3"}'
    assert json.loads(output["resourceconfig.json"])["hosts"] == ["algo-1"]
    assert output["train-manifest"] == b"in\ns3://bucket/in/a.csv\ns3://bucket/in/more/b.csv\n"
    assert instance.stages() == ["Starting", "Downloading", "Training", "Uploading"]
    messages = [event.message for event in instance.events() if event.stage]
    assert "Training image download completed. Training in progress." in messages
    assert messages[-1] == "Uploading generated training model"
    assert {"job on algo-1 in us-east-1, ", "loss=0.5#011lower", "loss=0.25"} == set(instance.log())
    points = [point for event in instance.events() for point in event.metrics]
    assert {(point.name, point.value) for point in points} == {("loss", 0.5), ("loss", 0.25)}
    assert [event.seq for event in instance.events()] == list(range(1, len(instance.events()) + 1))
    assert instance.left_behind() == []


def test_a_second_agent_after_the_end_changes_nothing(ground: Ground) -> None:
    instance = TrainingInstance(ground, "echo once; echo x > /opt/ml/model/x")
    instance.run()
    events, log = instance.events(), instance.log()
    instance.run()
    assert (instance.events(), instance.log()) == (events, log)


def test_an_empty_model_directory_makes_no_object(ground: Ground) -> None:
    outcome = TrainingInstance(ground, "mkdir /opt/ml/model/empty").run()
    assert (outcome.ending, outcome.artifact_uri) == ("Completed", None)
    assert ground.keys() == []


def test_the_failure_file_tells_why_and_everything_is_still_uploaded(ground: Ground) -> None:
    program = "echo part > /opt/ml/model/part; echo -n 'depth must be positive' > /opt/ml/output/failure; exit 3"
    instance = TrainingInstance(ground, program)
    outcome = instance.run()
    assert (outcome.ending, outcome.exit_code) == ("Failed", 3)
    assert outcome.failure is not None
    assert outcome.failure.reason == "AlgorithmError: depth must be positive, exit code: 3"
    assert ground.archive("out/job/output/model.tar.gz") == {"part": b"part\n"}
    assert instance.stages()[-1] == "Uploading"
    assert instance.left_behind() == []


@pytest.mark.parametrize("code", [1, 2, 127, 139])
def test_an_exit_code_comes_with_the_last_log_lines(ground: Ground, code: int) -> None:
    outcome = TrainingInstance(ground, f"echo reading; echo 'no column y' >&2; exit {code}").run()
    assert outcome.failure is not None
    assert outcome.failure.reason.endswith(f", exit code: {code}")
    assert "no column y" in outcome.failure.reason


def test_a_failure_file_does_not_fail_a_job_that_exits_with_0(ground: Ground) -> None:
    outcome = TrainingInstance(ground, "echo oh > /opt/ml/output/failure").run()
    assert outcome.ending == "Completed"


def test_an_image_without_train_says_what_it_needs(ground: Ground, tmp_path: Path) -> None:
    write_archive(tmp_path / "bare.tar", "tests/bare:1", {})
    (image,) = ground.platform.runtime.load_archive(tmp_path / "bare.tar")
    reference = ImageReference(uri="tests/bare:1", digest=image.digest)
    instance = TrainingInstance(ground, "", image=reference)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.fault == "algorithm"
    assert "tests/bare:1 could not be started with the argument train" in outcome.failure.message
    assert any("could not be started" in line for line in instance.log())
    assert instance.left_behind() == []


@pytest.mark.parametrize(
    ("job", "where"),
    [
        ({"environment": {"WORD": "a\0b"}}, "The value of the variable WORD in Environment"),
        ({"arguments": ("a\0b",)}, "A part of ContainerArguments"),
        ({"entrypoint": ("a\0b",)}, "A part of ContainerEntrypoint"),
    ],
)
def test_a_text_that_no_program_can_be_given_is_told(ground: Ground, job: dict[str, Any], where: str) -> None:
    outcome = TrainingInstance(ground, "echo started", **job).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(f"ClientError: {where} has the character NUL in it")


def test_an_image_that_is_gone_fails_before_anything_is_downloaded(ground: Ground) -> None:
    reference = ImageReference(uri="tests/gone:1", digest="sha256:" + "0" * 64)
    instance = TrainingInstance(ground, "", image=reference)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Cannot pull algorithm container.")
    assert instance.stages() == ["Starting", "Downloading"]


def test_a_channel_without_objects_fails_while_downloading(ground: Ground) -> None:
    instance = TrainingInstance(ground, "true", channels=(TRAIN,))
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Data download failed:")
    assert 'No S3 objects found under S3 URL "s3://bucket/in"' in outcome.failure.reason
    assert instance.stages() == ["Starting", "Downloading"]
    assert instance.left_behind() == []


def test_a_volume_too_small_for_the_data(ground: Ground) -> None:
    ground.put("in/a", b"x" * 300_000)
    outcome = TrainingInstance(ground, "true", channels=(TRAIN,), limits=Limits(volume_bytes=200_000)).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Data download failed:Insufficient disk space: channel train")


@pytest.mark.parametrize("then", ["sleep 600", "exit 0"])
def test_a_program_that_fills_its_volume_is_ended(ground: Ground, then: str) -> None:
    program = f"dd if=/dev/zero of=/opt/ml/model/big bs=1M count=8; {then}"
    outcome = TrainingInstance(ground, program, limits=Limits(volume_bytes=4_000_000), grace=0.2).run()
    assert outcome.failure is not None
    # how much it had written when that was noticed depends on the machine
    assert re.match(r"ClientError: Insufficient disk space: [4-8]\.[0-9] MiB are in /opt/ml", outcome.failure.reason)


def test_a_flood_of_output_is_capped_and_still_measured(ground: Ground) -> None:
    program = "i=0; while [ $i -lt 3000 ]; do echo $i$FILL; i=$((i+1)); done; echo score=7; echo why >&2; exit 1"
    instance = TrainingInstance(
        ground,
        program,
        environment={"FILL": "-" * 500},
        log_limit_bytes=100_000,
        metric_definitions=(MetricDefinition(name="score", regex="score=([0-9]+)"),),
    )
    outcome = instance.run()
    assert outcome.failure is not None
    assert "why" in outcome.failure.reason
    lines = instance.log()
    assert 150 < len(lines) < 250
    assert "[sagestone] the log has reached 100000 bytes; further output is not kept" in lines
    assert lines[-1].endswith("bytes of output were not kept")
    assert [point.value for event in instance.events() for point in event.metrics] == [7.0]


def test_a_line_without_end_and_a_line_without_limit(ground: Ground) -> None:
    instance = TrainingInstance(ground, "head -c 150000 /dev/zero | tr '\\0' x; echo; printf 'no end'")
    instance.run()
    assert [len(line) for line in instance.log()] == [65536, 65536, 150000 - 2 * 65536, 6]


def test_memory_beyond_the_limit_is_told_with_the_limit(ground: Ground) -> None:
    if not ground.platform.runtime.limits_memory:
        pytest.skip(f"the {ground.platform.runtime.name} runtime cannot limit memory for this user")
    program = "echo filling; dd if=/dev/zero of=/dev/null bs=300M count=1"
    outcome = TrainingInstance(ground, program, limits=Limits(memory_bytes=48 * 1024 * 1024)).run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Please use an instance type with more memory")
    assert "48.0 MiB" in outcome.failure.reason


def test_links_that_lead_outside_are_not_followed(ground: Ground) -> None:
    program = """
        cd /opt/ml/model
        ln -s /etc/passwd absolute; ln -s ../../../../../etc up; echo fine > file; ln -s file inside
        mkfifo pipe; ln -s /etc/shadow /opt/ml/output/failure
        exit 1
    """
    instance = TrainingInstance(ground, program)
    outcome = instance.run()
    assert ground.archive("out/job/output/model.tar.gz") == {"file": b"fine\n", "inside": "-> file"}
    assert outcome.failure is not None
    assert outcome.failure.reason == "AlgorithmError: , exit code: 1"
    assert len([line for line in instance.log() if line.startswith("[sagestone] model: ")]) == 3


def test_a_stop_ends_the_program_and_keeps_what_it_saved(ground: Ground) -> None:
    program = """
        trap 'echo saved > /opt/ml/model/saved; exit 5' TERM
        echo ready
        while true; do sleep 0.05; done
    """
    instance = TrainingInstance(ground, program).start()
    instance.await_line("ready")
    instance.stop()
    outcome = instance.outcome()
    assert (outcome.ending, outcome.exit_code, outcome.failure) == ("Stopped", 5, None)
    assert ground.archive("out/job/output/model.tar.gz") == {"saved": b"saved\n"}


def test_a_program_that_ignores_sigterm_is_killed(ground: Ground) -> None:
    program = "trap '' TERM; echo kept > /opt/ml/model/kept; echo ready; while true; do sleep 0.05; done"
    instance = TrainingInstance(ground, program, grace=0.5).start()
    instance.await_line("ready")
    instance.stop()
    outcome = instance.outcome()
    assert (outcome.ending, outcome.exit_code) == ("Stopped", 137)
    assert ground.archive("out/job/output/model.tar.gz") == {"kept": b"kept\n"}


def test_the_time_allowed_ends_a_program_like_a_stop(ground: Ground) -> None:
    program = "echo kept > /opt/ml/model/kept; trap 'exit 0' TERM; while true; do sleep 0.05; done"
    outcome = TrainingInstance(ground, program, max_runtime_seconds=1).run()
    assert (outcome.ending, outcome.exit_code) == ("MaxRuntimeExceeded", 0)
    assert outcome.artifact_uri is not None


def test_a_stop_while_downloading_starts_nothing(ground: Ground) -> None:
    for number in range(200):
        ground.put(f"in/{number}", b"x")
    instance = TrainingInstance(ground, "true", channels=(TRAIN,))
    instance.stop()
    outcome = instance.run()
    assert (outcome.ending, outcome.exit_code) == ("Stopped", None)
    assert instance.stages() == ["Starting", "Downloading"]
    assert instance.left_behind() == []


def test_uncompressed_output_goes_file_by_file(ground: Ground) -> None:
    program = "cd /opt/ml/model; mkdir d; echo 1 > d/one; echo 2 > two; ln -s two link"
    instance = TrainingInstance(ground, program, output_compression="NONE")
    outcome = instance.run()
    assert outcome.artifact_uri == "s3://bucket/out/job/output/model"
    assert ground.keys() == ["out/job/output/model/d/one", "out/job/output/model/two"]
    assert ground.get("out/job/output/model/d/one") == b"1\n"
    assert "[sagestone] model: 'link' was left out: it is a link, and S3 has none" in instance.log()


def test_a_bucket_that_is_gone_fails_the_upload(ground: Ground) -> None:
    outcome = TrainingInstance(ground, "echo x > /opt/ml/model/x", output_uri="s3://nowhere/out").run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: Artifact upload failed:s3://nowhere/out/job/output/")


def test_shards_of_two_hosts(ground: Ground) -> None:
    for number in range(5):
        ground.put(f"in/{number}", b"x")
    channel = Channel(
        name="train",
        s3_data_type="S3Prefix",
        s3_uri="s3://bucket/in/",
        distribution="ShardedByS3Key",
        input_mode="File",
    )
    host = Host(number=2, count=2)
    instance = TrainingInstance(ground, "ls /opt/ml/input/data/train", channels=(channel,), host=host)
    assert instance.run().ending == "Completed"
    assert instance.log() == ["1", "3"]
