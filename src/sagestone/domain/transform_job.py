"""A batch transform job: what was asked, and what has happened to it so far."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sagestone.domain.image import ImageReference
from sagestone.domain.training_job import InstanceState

TransformJobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
SplitType = Literal["None", "Line", "RecordIO", "TFRecord"]

#: Most containers that one model may have (Containers of CreateModel).
MOST_CONTAINERS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContainer:
    """One container of the model that a transform serves: of several, each answers the one before it, in order."""

    image: ImageReference
    hostname: str | None = None  # ContainerHostname: its name for the others; None: the service chooses one
    environment: Mapping[str, str] = field(default_factory=dict)  # of the container definition
    model_uri: str | None = None  # the model.tar.gz for /opt/ml/model; None: the container brings its own


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProcessing:
    """What of a record goes to the model, what is joined to the prediction, and what of that is kept (JSONPath)."""

    input_filter: str = "$"
    join_source: Literal["None", "Input"] = "None"
    output_filter: str = "$"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCapture:
    """Where what was sent and what was answered is kept; whether each record gets an id and a time."""

    destination_uri: str
    generate_inference_id: bool = False
    kms_key_id: str = ""  # what it is encrypted with; "": as the bucket has it


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformJobSpec:
    """What a transform job is to do; never changes after creation. `request` is what Describe echoes.

    A number or strategy that the request left out is None: the container's `/execution-parameters` may say it,
    else the defaults hold (MaxConcurrentTransforms 1, MultiRecord, 6 MB).
    """

    name: str
    arn: str
    role_arn: str
    model_name: str
    containers: tuple[ModelContainer, ...]  # 1–15; more than one: a serial inference pipeline
    environment: Mapping[str, str] = field(default_factory=dict)  # of the transform job: wins over the containers'
    algorithm_name: str | None = None
    profile_name: str | None = None
    s3_data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    s3_uri: str
    content_type: str | None = None
    compression: Literal["None", "Gzip"] = "None"
    split_type: SplitType = "None"
    output_uri: str
    output_kms_key_id: str = ""  # what results are encrypted with; "": as the bucket has it
    accept: str | None = None
    assemble_with: Literal["None", "Line"] = "None"
    batch_strategy: Literal["SingleRecord", "MultiRecord"] | None = None
    max_payload_mb: int | None = None  # 0: unlimited, sent chunked
    max_concurrent_transforms: int | None = None
    data_processing: DataProcessing | None = None
    invocations_timeout_seconds: int = 600  # ModelClientConfig
    invocations_max_retries: int = 3
    data_capture: DataCapture | None = None
    instance_type: str
    instance_count: int = 1
    volume_kms_key_id: str = ""  # what the instances' volumes are encrypted with; "": directories of the machine
    isolated: bool = (
        True  # EnableNetworkIsolation of the model: no keys of its role; no way out but to the service in either case
    )
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The job's key in the store, in events and in labels."""
        return f"transform/{self.name}"

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type of each instance, algo-1 first."""
        return (self.instance_type,) * self.instance_count


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformJob:
    """A transform job with everything that has happened to it. Only `domain.transition` makes a changed one."""

    spec: TransformJobSpec
    created_at: float
    modified_at: float
    status: TransformJobStatus = "InProgress"
    message: str = ""  # the last thing an instance told, for the command line
    instances: tuple[InstanceState, ...] = ()
    started_at: float | None = None
    ended_at: float | None = None
    failure_reason: str | None = None
    stop_requested_at: float | None = None
    runtime: str | None = None

    @property
    def finished(self) -> bool:
        """Whether the job is in a terminal status."""
        return self.status in ("Completed", "Failed", "Stopped")


def instance_id(arn: str, number: int, created_at: float) -> str:
    """What stands for the machine of a host in log streams and metrics: of the same host always the same."""
    return "i-" + hashlib.sha256(f"{arn}#{number}@{created_at}".encode()).hexdigest()[:17]
