"""The /opt/ml tree of a training container: directories, configuration files, mounts and environment.

`/opt/ml/input`, `/opt/ml/model` and `/opt/ml/output` are mounted one by one, never /opt/ml itself: images keep
programs elsewhere below it. Files are 0644 and directories 0755 and belong to the agent's user, as those of the service
belong to root.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from sagestone.archive.remove import remove_tree
from sagestone.containers.runtime import Mount
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.checkpoint import Checkpoint
from sagestone.domain.failure import JobFailure
from sagestone.domain.file_system import FileSystemChannel
from sagestone.domain.instance_group import group_hosts
from sagestone.domain.tensorboard import TensorBoard

MOUNTED: Final = ("input", "model", "output")
CACHE: Final = "/opt/ml/sagemaker/warmpoolcache"  # goes from one job of a warm pool to the next
_METRICS: Final = "output/metrics/sagemaker"


class OptMl:
    """The directory that a container sees as /opt/ml."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "input" / "config"
        self.data = root / "input" / "data"
        self.model = root / "model"
        self.output_data = root / "output" / "data"
        self.failure = root / "output" / "failure"
        self.checkpoints = root / "checkpoints"  # wherever the container sees it: it counts against the volume
        self.tensorboard = root / "tensorboard"  # the same

    def channel(self, channel: Channel | FileSystemChannel) -> Path:
        """The directory of a channel; raises JobFailure for the names that are none (`.` and `..`)."""
        if channel.name in (".", "..") or "/" in channel.name:
            raise JobFailure("client", f"the channel name {channel.name!r} cannot be a directory name")
        return self.data / channel.name

    def sidecar(self, channel: Channel, names: Collection[str]) -> Path | None:
        """`<channel>-manifest`; None where a channel (`names`) is called just that: its directory comes first."""
        path = self.data / f"{channel.name}-manifest"
        return None if path.name in names else path

    def clear(self, channels: Collection[str]) -> None:
        """Remove what an earlier agent left of the tree, all but the directories of those channels."""
        if not channels:
            remove_tree(self.root)
        for directory, kept in ((self.root, "input"), (self.root / "input", "data"), (self.data, None)):
            if directory.exists():
                for entry in directory.iterdir():
                    if entry.name != kept and (kept is not None or entry.name not in channels):
                        remove_tree(entry)

    def make(self, assignment: TrainingAssignment) -> None:
        """Make the empty tree with all configuration files; repeating it does no harm."""
        for part in ("input/config", "input/data", "model", "output/data", _METRICS):
            directory = self.root
            for name in part.split("/"):
                directory = directory / name
                directory.mkdir(parents=True, exist_ok=True)
                directory.chmod(0o755)
        for channel in assignment.job.file_systems:  # the places to mount them at
            self.channel(channel).mkdir(exist_ok=True)
        for name, document in config_files(assignment).items():
            path = self.config / name
            path.write_text(json.dumps(document), encoding="utf-8")
            path.chmod(0o644)

    def mounts(self, checkpoint: Checkpoint | None, tensorboard: TensorBoard | None) -> tuple[Mount, ...]:
        """What the container gets of it; checkpoints and TensorBoard output last, which may lie below another."""
        mounts = [Mount(source=self.root / name, target=f"/opt/ml/{name}") for name in MOUNTED]
        if checkpoint is not None:
            mounts.append(Mount(source=self.checkpoints, target=checkpoint.local_path.rstrip("/")))
        if tensorboard is not None:
            mounts.append(Mount(source=self.tensorboard, target=tensorboard.local_path.rstrip("/")))
        return tuple(mounts)


def config_files(assignment: TrainingAssignment) -> dict[str, Any]:
    """The documents of /opt/ml/input/config by file name."""
    job = assignment.job
    checkpoint = {"checkpointconfig.json": {"LocalPath": job.checkpoint.local_path}} if job.checkpoint else {}
    board = job.tensorboard
    shown = {"S3OutputPath": board.s3_output_path, "LocalPath": board.local_path} if board else {}
    return {
        **checkpoint,
        **({"tensorboardoutputconfig.json": shown} if board else {}),
        "hyperparameters.json": dict(job.hyperparameters),
        "inputdataconfig.json": {
            **{channel.name: _channel(channel) for channel, _ in assignment.channels},
            **{channel.name: _file_system(channel) for channel in job.file_systems},
        },
        "resourceconfig.json": _resources(assignment),
        "metric-definition-regex.json": [
            {"Name": definition.name, "Regex": definition.regex} for definition in job.metric_definitions
        ],
    }


def environment(assignment: TrainingAssignment) -> dict[str, str]:
    """The container's variables: the request's, and those of the platform. Credentials are never among them."""
    job = assignment.job
    suggested = {"DMLC_INTERFACE": interface(assignment)}
    if assignment.limits.gpus == 0:
        suggested["NVIDIA_VISIBLE_DEVICES"] = "void"
    if job.keep_alive_seconds:
        suggested["SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"] = CACHE
    if job.metric_definitions:
        suggested["SAGEMAKER_METRICS_DIRECTORY"] = f"/opt/ml/{_METRICS}"
    fixed = {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn, "AWS_REGION": assignment.region}
    return {**suggested, **job.environment, **fixed}


def interface(assignment: TrainingAssignment) -> str:
    """The network interface by which a host reaches the others; a container without a network has the loopback only."""
    return "eth0" if assignment.network is not None else "lo"


def _channel(channel: Channel) -> dict[str, str]:
    content_type = {} if channel.content_type is None else {"ContentType": channel.content_type}
    return {
        **content_type,
        # a program that knows File needs to know nothing else: the service shows FastFile channels so
        "TrainingInputMode": "File" if channel.input_mode == "FastFile" else channel.input_mode,
        "S3DistributionType": channel.distribution,
        "RecordWrapperType": channel.record_wrapper,
    }


def _file_system(channel: FileSystemChannel) -> dict[str, str]:
    content_type = {} if channel.content_type is None else {"ContentType": channel.content_type}
    return {
        **content_type,
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",  # as the service writes it for EFS and FSx
        "RecordWrapperType": "None",
    }


def _resources(assignment: TrainingAssignment) -> dict[str, Any]:
    host, groups = assignment.host, assignment.job.groups
    return {
        "current_host": host.name,
        "current_instance_type": assignment.group.instance_type,
        "current_group_name": assignment.group.name,
        "hosts": list(host.all_names),
        "instance_groups": [
            {
                "instance_group_name": group.name,
                "instance_type": group.instance_type,
                "hosts": sorted(f"algo-{number}" for number in hosts),
            }
            for group, hosts in zip(groups, group_hosts(groups), strict=True)
        ],
        "network_interface_name": interface(assignment),
    }
