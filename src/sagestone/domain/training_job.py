"""A training job: what was asked, and what has happened to it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sagestone.domain.channel import Channel, InputMode
from sagestone.domain.checkpoint import Checkpoint
from sagestone.domain.event import Outcome, Stage
from sagestone.domain.file_system import FileSystemChannel
from sagestone.domain.image import ImageReference
from sagestone.domain.instance_group import PLAIN_CLUSTER, InstanceGroup
from sagestone.domain.metric import MetricDefinition, MetricPoint
from sagestone.domain.tensorboard import TensorBoard
from sagestone.domain.warm_pool import WarmPool

TrainingJobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting"]
EndedStatus = Literal["Completed", "Failed", "Stopped"]
SecondaryStatus = Literal[
    "Starting", "Pending", "Downloading", "Training", "Uploading",
    "Completed", "Failed", "Stopping", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded", "Interrupted",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJobSpec:
    """What a training job is to do; never changes after creation.

    `request` is what Describe echoes: the members as the caller gave them, in the API's shapes.
    `hyperparameters` are merged with the algorithm's defaults and are what the container reads.
    """

    name: str
    arn: str
    role_arn: str
    image: ImageReference
    algorithm_name: str | None = None  # the algorithm whose validation or definition this job runs
    profile_name: str | None = None
    input_mode: InputMode = "File"
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    file_systems: tuple[FileSystemChannel, ...] = ()  # the channels that are mounted
    metric_definitions: tuple[MetricDefinition, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None  # None: the image's own
    arguments: tuple[str, ...] | None = None  # None: `train`, or nothing where the job brings an entrypoint
    output_uri: str  # s3://bucket/prefix as given
    output_compression: Literal["GZIP", "NONE"] = "GZIP"
    output_kms_key_id: str = ""  # what artifacts are encrypted with; "": as the bucket has it
    instance_type: str = ""  # "": the groups say it
    instance_count: int = 1  # of all groups together
    instance_groups: tuple[InstanceGroup, ...] = ()  # of a heterogeneous cluster; empty: all instances are alike
    checkpoint: Checkpoint | None = None
    tensorboard: TensorBoard | None = None
    volume_kms_key_id: str = ""  # what the instances' volumes are encrypted with; "": directories of the machine
    volume_gb: int = 0  # 0: the request left it out
    max_runtime_seconds: int = 86400  # of all runs together
    spot: bool = False  # its capacity may be taken away: it is interrupted, and runs again
    max_wait_seconds: int | None = None  # from its creation to its end, waiting and running
    max_pending_seconds: int | None = None  # without instances, in each run; None: as long as it takes
    keep_alive_seconds: int = 0  # how long its instances are kept when it has ended; 0: not at all
    max_retries: int = 0  # runs after a failure that is ours
    isolated: bool = True  # no network but the job's own; False: the containers reach what the machine reaches
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The job's key in the store, in events and in labels."""
        return f"training/{self.name}"

    @property
    def command(self) -> tuple[str, ...]:
        """What the entrypoint is given, the image's or the job's."""
        if self.arguments is not None:
            return self.arguments
        return ("train",) if self.entrypoint is None else ()

    @property
    def channel_names(self) -> frozenset[str]:
        """The names of all channels, whatever their source."""
        mounted = (channel.name for channel in self.file_systems)
        return frozenset((*(channel.name for channel in self.channels), *mounted))

    @property
    def groups(self) -> tuple[InstanceGroup, ...]:
        """The instance groups; of a job whose instances are all alike, the one that they make."""
        plain = InstanceGroup(name=PLAIN_CLUSTER, instance_type=self.instance_type, instance_count=self.instance_count)
        return self.instance_groups or (plain,)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type of each instance, algo-1 first."""
        return tuple(group.instance_type for group in self.groups for _ in range(group.instance_count))

    @property
    def artifact_uri(self) -> str:
        """Where the model archive goes: `<S3OutputPath>/<job>/output/model.tar.gz`."""
        return f"{self.output_uri.rstrip('/')}/{self.name}/output/model.tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One entry of SecondaryStatusTransitions; the open one has no end (times are epoch seconds)."""

    status: SecondaryStatus
    started_at: float
    ended_at: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """How far one instance has come: the last event that counted."""

    seq: int = 0
    stage: Stage | None = None
    message: str = ""
    outcome: Outcome | None = None
    ended_at: float | None = None  # when it told its outcome: the first failure is the job's


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """A training job with everything that has happened to it. Only `domain.transition` makes a changed one."""

    spec: TrainingJobSpec
    created_at: float
    modified_at: float
    status: TrainingJobStatus = "InProgress"
    secondary_status: SecondaryStatus = "Starting"
    transitions: tuple[Transition, ...] = ()
    instances: tuple[InstanceState, ...] = ()
    started_at: float | None = None  # TrainingStartTime: the instances are there
    ended_at: float | None = None  # TrainingEndTime
    failure_reason: str | None = None
    final_metrics: tuple[MetricPoint, ...] = ()
    stop_requested_at: float | None = None
    run: int = 1
    run_over: bool = False  # this run has ended and the next has not begun: what it left is to be put away
    run_started_at: float | None = None  # like started_at, of this run
    used_seconds: float = 0.0  # that the runs before took, from Downloading on
    retries: int = 0
    interrupting: bool = False  # its instances are being taken away
    waited_too_long: bool = False
    warm_pool: WarmPool | None = None  # where its instances are to be kept
    runtime: str | None = None  # which runtime ran it: docker, podman, sandbox

    @property
    def finished(self) -> bool:
        """Whether nothing more happens to the job: it is in a terminal status, or on its way out of the store."""
        return self.status in ("Completed", "Failed", "Stopped", "Deleting")
