"""Turns a CreateTrainingJob request into what its job is to do; a validation's job is made of such a request too."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.channel import Channel
from sagestone.domain.checkpoint import checkpoint_of
from sagestone.domain.file_system import FileSystemChannel
from sagestone.domain.hyperparameters import merged
from sagestone.domain.image import ImageReference
from sagestone.domain.instance_group import InstanceGroup
from sagestone.domain.metric import MetricDefinition
from sagestone.domain.names import Deployment
from sagestone.domain.tensorboard import tensorboard_of
from sagestone.domain.training_job import TrainingJobSpec

Members = Mapping[str, Any]

#: MaxRuntimeInSeconds where the request leaves it out: one day.
DEFAULT_RUN = 86400


def plan_training(
    request: Members,
    *,
    deployment: Deployment,
    image: ImageReference,
    specification: Members | None = None,
    algorithm_name: str | None = None,
    profile_name: str | None = None,
) -> TrainingJobSpec:
    """The job of a request that broke no rule (shape CreateTrainingJobRequest, without Tags).

    `specification` is the algorithm's TrainingSpecification: defaults of hyperparameters and the metric definitions
    come from it. None: the request names an image and brings its own definitions.
    """
    name, algorithm = request["TrainingJobName"], request["AlgorithmSpecification"]
    output, resources = request["OutputDataConfig"], request["ResourceConfig"]
    mode, stopping = algorithm["TrainingInputMode"], request["StoppingCondition"]
    declared = (specification or {}).get("SupportedHyperParameters") or ()
    inputs = request.get("InputDataConfig") or ()
    groups = tuple(_group(item) for item in resources.get("InstanceGroups") or ())
    definitions = (specification if specification is not None else algorithm).get("MetricDefinitions") or ()
    return TrainingJobSpec(
        name=name,
        arn=deployment.arn("training-job", name),
        role_arn=request["RoleArn"],
        image=image,
        algorithm_name=algorithm_name,
        profile_name=profile_name,
        input_mode=mode,
        hyperparameters=merged(declared, request.get("HyperParameters") or {}),
        channels=tuple(_channel(item, mode) for item in inputs if item["DataSource"].get("S3DataSource")),
        file_systems=tuple(_file_system(item) for item in inputs if item["DataSource"].get("FileSystemDataSource")),
        metric_definitions=tuple(MetricDefinition(name=item["Name"], regex=item["Regex"]) for item in definitions),
        environment=dict(request.get("Environment") or {}),
        entrypoint=_words(algorithm.get("ContainerEntrypoint")),
        arguments=_words(algorithm.get("ContainerArguments")),
        output_uri=output["S3OutputPath"],
        output_compression=output.get("CompressionType") or "GZIP",
        output_kms_key_id=output.get("KmsKeyId") or "",
        instance_type=resources.get("InstanceType") or "",
        instance_count=sum(group.instance_count for group in groups) or resources["InstanceCount"],
        instance_groups=groups,
        checkpoint=checkpoint_of(request.get("CheckpointConfig")),
        tensorboard=tensorboard_of(request.get("TensorBoardOutputConfig")),
        volume_kms_key_id=resources.get("VolumeKmsKeyId") or "",
        volume_gb=resources.get("VolumeSizeInGB") or 0,
        spot=bool(request.get("EnableManagedSpotTraining")),
        max_wait_seconds=stopping.get("MaxWaitTimeInSeconds") if request.get("EnableManagedSpotTraining") else None,
        max_pending_seconds=stopping.get("MaxPendingTimeInSeconds"),
        keep_alive_seconds=0 if profile_name else resources.get("KeepAlivePeriodInSeconds") or 0,
        max_retries=(request.get("RetryStrategy") or {}).get("MaximumRetryAttempts", 0),
        max_runtime_seconds=stopping.get("MaxRuntimeInSeconds") or DEFAULT_RUN,
        isolated=bool(request.get("EnableNetworkIsolation")),
        request=request,
    )


def _file_system(given: Members) -> FileSystemChannel:
    source = given["DataSource"]["FileSystemDataSource"]
    return FileSystemChannel(
        name=given["ChannelName"],
        file_system_id=source["FileSystemId"],
        kind=source["FileSystemType"],
        access_mode=source["FileSystemAccessMode"],
        directory_path=source["DirectoryPath"],
        content_type=given.get("ContentType"),
    )


def _group(given: Members) -> InstanceGroup:
    return InstanceGroup(
        name=given["InstanceGroupName"], instance_type=given["InstanceType"], instance_count=given["InstanceCount"]
    )


def _words(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(given) if given else None


def _channel(given: Members, default_mode: Any) -> Channel:
    source = given["DataSource"]["S3DataSource"]
    return Channel(
        name=given["ChannelName"],
        s3_data_type=source["S3DataType"],
        s3_uri=source["S3Uri"],
        distribution=source.get("S3DataDistributionType") or "FullyReplicated",
        input_mode=given.get("InputMode") or default_mode,
        content_type=given.get("ContentType"),
        compression=given.get("CompressionType") or "None",
        record_wrapper=given.get("RecordWrapperType") or "None",
        shuffle_seed=(given.get("ShuffleConfig") or {}).get("Seed"),
        attribute_names=tuple(source.get("AttributeNames") or ()),
        instance_groups=tuple(source.get("InstanceGroupNames") or ()),
    )
