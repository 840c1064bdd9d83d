"""What one instance is to do: all an agent needs, on whatever machine it runs. It holds no credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import InstanceGroup, Share, group_of, share_of
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import TransformJobSpec

#: What a container may write beside its mounts, unless its volume is larger still.
OUTSIDE_BYTES: Final = 32 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the instance type gives a container, bounded by the machine. None: no limit."""

    cpus: float | None = None
    memory_bytes: int | None = None
    volume_bytes: int | None = None  # quota of everything under /opt/ml that the job writes or downloads
    outside_bytes: int | None = None  # of what a container writes beside its mounts
    shared_memory_bytes: int = 64 * 1024 * 1024
    gpus: int = 0
    gpu_uuids: tuple[str, ...] = ()  # which ones: the host's alone, as many as `gpus` once they are reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This instance among those of its job: `algo-<number>` of `count`."""

    number: int
    count: int

    @property
    def name(self) -> str:
        return f"algo-{self.number}"

    @property
    def all_names(self) -> tuple[str, ...]:
        """All hosts of the job, sorted as strings, as resourceconfig.json lists them."""
        return tuple(sorted(f"algo-{number}" for number in range(1, self.count + 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAssignment:
    """One host's part of a training job."""

    job: TrainingJobSpec
    host: Host
    region: str
    created_at: float  # CreationTime of the job: names its log stream
    limits: Limits = field(default_factory=Limits)
    network: str | None = None  # the job's private network, made by the placement; None: no network at all
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_grace_seconds: float = 120.0  # between SIGTERM and SIGKILL
    used_seconds: float = 0.0  # of MaxRuntimeInSeconds, by earlier runs of the job

    @property
    def group(self) -> InstanceGroup:
        """The instance group that this host belongs to."""
        return group_of(self.job.groups, self.host.number)

    @property
    def channels(self) -> tuple[tuple[Channel, Share], ...]:
        """The channels that this host receives, in the job's order, each with its place among those that do."""
        groups, number = self.job.groups, self.host.number
        shares = ((each, share_of(groups, each.instance_groups, number)) for each in self.job.channels)
        return tuple((channel, share) for channel, share in shares if share is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformAssignment:
    """One host's part of a transform job: it takes every count-th object, by key order."""

    job: TransformJobSpec
    host: Host
    region: str
    created_at: float
    limits: Limits = field(default_factory=Limits)
    labels: Mapping[str, str] = field(default_factory=dict)
    ping_patience_seconds: float = 240.0
    stop_grace_seconds: float = 30.0


Assignment = TrainingAssignment | TransformAssignment
