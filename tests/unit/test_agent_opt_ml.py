"""The tree, the configuration files and the environment that a training container finds."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.agent.opt_ml import OptMl, config_files, environment
from sagestone.agent.volume import UNMEASURED, VolumeWatch, disk_usage
from sagestone.archive.remove import remove_tree
from sagestone.domain.assignment import Host, Limits, TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.image import ImageReference
from sagestone.domain.metric import MetricDefinition
from sagestone.domain.tensorboard import TensorBoard
from sagestone.domain.training_job import TrainingJobSpec

TRAIN = Channel(
    name="train",
    s3_data_type="S3Prefix",
    s3_uri="s3://b/in",
    distribution="ShardedByS3Key",
    input_mode="File",
    content_type="text/csv",
    compression="Gzip",
)
JOB = TrainingJobSpec(
    name="My-Job",
    arn="arn:aws:sagemaker:us-east-1:123456789012:training-job/my-job",
    role_arn="arn:aws:iam::123456789012:role/r",
    image=ImageReference(uri="algo:1", digest="sha256:" + "0" * 64),
    hyperparameters={"num_round": "128", "mode": "fast"},
    channels=(TRAIN, replace(TRAIN, name="validation", content_type=None, distribution="FullyReplicated")),
    environment={"EXTRA": "1", "AWS_REGION": "elsewhere", "NVIDIA_VISIBLE_DEVICES": "mine"},
    output_uri="s3://b/out",
    instance_type="ml.m5.xlarge",
    instance_count=11,
)
ASSIGNMENT = TrainingAssignment(
    job=JOB, host=Host(number=2, count=11), region="eu-west-1", created_at=0.0, network="job-net"
)


def test_the_files_are_those_of_the_service() -> None:
    files = config_files(ASSIGNMENT)
    assert files["hyperparameters.json"] == {"num_round": "128", "mode": "fast"}
    assert files["inputdataconfig.json"] == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "None",
        },
        "validation": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
    }
    hosts = ["algo-1", "algo-10", "algo-11", *(f"algo-{number}" for number in range(2, 10))]
    assert files["resourceconfig.json"] == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": hosts,
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": hosts}
        ],
        "network_interface_name": "eth0",
    }
    assert files["metric-definition-regex.json"] == []


def test_files_without_anything_are_still_there(tmp_path: Path) -> None:
    opt_ml = OptMl(tmp_path / "opt_ml")
    opt_ml.make(replace(ASSIGNMENT, job=replace(JOB, hyperparameters={}, channels=())))
    assert json.loads((opt_ml.config / "hyperparameters.json").read_text()) == {}
    assert json.loads((opt_ml.config / "inputdataconfig.json").read_text()) == {}
    modes = {path.stat().st_mode & 0o777 for path in opt_ml.root.rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {path.stat().st_mode & 0o777 for path in opt_ml.root.rglob("*") if path.is_dir()} == {0o755}
    assert [(mount.target, mount.read_only) for mount in opt_ml.mounts(None, None)] == [
        ("/opt/ml/input", False),
        ("/opt/ml/model", False),
        ("/opt/ml/output", False),
    ]


def test_tensorboard_is_told_where_to_write() -> None:
    board = TensorBoard(s3_output_path="s3://b/boards")
    files = config_files(replace(ASSIGNMENT, job=replace(JOB, tensorboard=board)))
    shown = {"S3OutputPath": "s3://b/boards", "LocalPath": "/opt/ml/output/tensorboard"}
    assert files["tensorboardoutputconfig.json"] == shown
    assert "tensorboardoutputconfig.json" not in config_files(ASSIGNMENT)


def test_the_platforms_variables_win_where_they_name_the_job() -> None:
    assert environment(ASSIGNMENT) == {
        "EXTRA": "1",
        "AWS_REGION": "eu-west-1",
        "NVIDIA_VISIBLE_DEVICES": "mine",
        "DMLC_INTERFACE": "eth0",
        "TRAINING_JOB_NAME": "My-Job",
        "TRAINING_JOB_ARN": JOB.arn,
    }
    measured = replace(JOB, environment={}, metric_definitions=(MetricDefinition(name="m", regex="(.)"),))
    variables = environment(replace(ASSIGNMENT, job=measured, network=None, limits=Limits(gpus=1)))
    assert variables["SAGEMAKER_METRICS_DIRECTORY"] == "/opt/ml/output/metrics/sagemaker"
    assert variables["DMLC_INTERFACE"] == "lo"
    assert "NVIDIA_VISIBLE_DEVICES" not in variables


def test_channel_names_stay_below_the_data_directory() -> None:
    opt_ml = OptMl(Path("/tree"))
    assert opt_ml.channel(TRAIN) == Path("/tree/input/data/train")
    for name in (".", "..", "a/b"):
        with pytest.raises(JobFailure, match="channel name"):
            opt_ml.channel(replace(TRAIN, name=name))
    clash = replace(TRAIN, name="train-manifest")
    assert opt_ml.sidecar(TRAIN, {TRAIN.name}) == Path("/tree/input/data/train-manifest")
    assert opt_ml.sidecar(TRAIN, {TRAIN.name, clash.name}) is None


def test_the_volume_counts_what_is_on_disk(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "deep" / "er").mkdir(parents=True)
    empty = disk_usage(root)
    (root / "deep" / "er" / "file").write_bytes(b"x" * 100_000)
    (root / "again").hardlink_to(root / "deep" / "er" / "file")
    (root / "loop").symlink_to("..")
    assert 100_000 <= disk_usage(root) - empty < 120_000
    assert VolumeWatch([root], None).overrun() is None
    assert VolumeWatch([root], 10_000_000).overrun() is None
    watch = VolumeWatch([root], 50_000)
    assert watch.overrun() == disk_usage(root) == watch.measure()
    assert watch.overrun() is None  # not yet time to look again
    assert disk_usage(tmp_path / "missing") == 0


def test_names_alone_use_up_a_volume_and_holes_do_not(tmp_path: Path) -> None:
    empty = disk_usage(tmp_path)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert disk_usage(tmp_path) - empty == 4096
    for number in range(100):
        (tmp_path / f"empty-{number}").touch()
        (tmp_path / f"link-{number}").symlink_to("x" * 20)
    assert disk_usage(tmp_path) - empty == 201 * 4096


def test_what_cannot_be_measured_is_beyond_every_limit(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    for _ in range(700):
        os.mkdir("d", dir_fd=directory)
        below = os.open("d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(directory)
    watch = VolumeWatch([tmp_path], 1 << 40)
    used = watch.overrun()
    assert used is not None
    assert used >= UNMEASURED
    assert watch.last_used == 1 << 40
    remove_tree(tmp_path / "d")
    assert disk_usage(tmp_path) < 10_000


def test_a_directory_that_turns_into_a_link_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "file").write_bytes(bytes(1 << 20))
    (root / "way").symlink_to(outside)
    assert disk_usage(root) < 1 << 20
    shutil.rmtree(root)
    root.symlink_to(outside)
    assert disk_usage(root) == 0
