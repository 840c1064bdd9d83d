"""Turns the profile of a CreateAlgorithm request into the jobs that validate the algorithm."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.channel import Channel
from sagestone.domain.hyperparameters import merged
from sagestone.domain.image import ImageReference
from sagestone.domain.metric import MetricDefinition
from sagestone.domain.names import Deployment
from sagestone.domain.plan import ValidationPlan
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import ModelContainer, TransformJobSpec

Members = Mapping[str, Any]

#: MaxRuntimeInSeconds where the request leaves it out: one day.
DEFAULT_RUN = 86400
LONGEST_NAME = 63


def plan_validation(
    request: Members,
    *,
    deployment: Deployment,
    training_image_digest: str,
    container_image_digests: Sequence[str | None],
    suffix: str,
) -> ValidationPlan | None:
    """The plan of a request that broke no rule; None where it has no ValidationSpecification.

    Both jobs get the name `<algorithm>-<profile>-<suffix>`. The digests stand in the order of the images, as
    `Algorithm` holds them; `suffix` makes the names unique.
    """
    validation = request.get("ValidationSpecification")
    if validation is None:
        return None
    profile = validation["ValidationProfiles"][0]
    name = job_name(request["AlgorithmName"], profile["ProfileName"], suffix)
    training = _training(request, profile, name, deployment, training_image_digest)
    inference, definition = request.get("InferenceSpecification"), profile.get("TransformJobDefinition")
    transform = None
    if inference is not None and definition is not None:
        container, digest = inference["Containers"][0], container_image_digests[0]
        served = ModelContainer(
            image=ImageReference(uri=container["Image"], digest=digest or ""),
            hostname=container.get("ContainerHostname"),
            environment=dict(container.get("Environment") or {}),
            model_uri=container.get("ModelDataUrl") or training.artifact_uri,
        )
        transform = _transform(definition, served, training, deployment)
    return ValidationPlan(profile_name=profile["ProfileName"], training=training, transform=transform)


def job_name(algorithm: str, profile: str, suffix: str) -> str:
    """`<algorithm>-<profile>-<suffix>` within a job name's 63 characters.

    The profile's name is shortened first; at least 40 characters of the algorithm's are kept.
    """
    suffix = re.sub(r"[^a-zA-Z0-9]", "", suffix)[:8]
    room = LONGEST_NAME - len(suffix) - 2
    algorithm = algorithm[: max(40, room - len(profile))]
    return f"{algorithm}-{profile[: room - len(algorithm)]}-{suffix}"


def _training(
    request: Members, profile: Members, name: str, deployment: Deployment, image_digest: str
) -> TrainingJobSpec:
    specification, definition = request["TrainingSpecification"], profile["TrainingJobDefinition"]
    output, resources = definition["OutputDataConfig"], definition["ResourceConfig"]
    role = request["ValidationSpecification"]["ValidationRole"]
    given = definition.get("HyperParameters") or {}
    echoed = {
        "AlgorithmSpecification": {
            "AlgorithmName": deployment.arn("algorithm", request["AlgorithmName"]),
            "TrainingInputMode": definition["TrainingInputMode"],
        },
        "RoleArn": role,
        **definition,
        "EnableNetworkIsolation": True,
    }
    if specification.get("MetricDefinitions"):
        echoed["AlgorithmSpecification"]["MetricDefinitions"] = specification["MetricDefinitions"]
    del echoed["TrainingInputMode"]
    return TrainingJobSpec(
        name=name,
        arn=deployment.arn("training-job", name),
        role_arn=role,
        image=ImageReference(uri=specification["TrainingImage"], digest=image_digest),
        algorithm_name=request["AlgorithmName"],
        profile_name=profile["ProfileName"],
        input_mode=definition["TrainingInputMode"],
        hyperparameters=merged(specification.get("SupportedHyperParameters") or (), given),
        channels=tuple(_channel(item, definition["TrainingInputMode"]) for item in definition["InputDataConfig"]),
        metric_definitions=tuple(
            MetricDefinition(name=item["Name"], regex=item["Regex"])
            for item in specification.get("MetricDefinitions") or ()
        ),
        output_uri=output["S3OutputPath"],
        output_compression=output.get("CompressionType") or "GZIP",
        instance_type=resources["InstanceType"],
        instance_count=resources["InstanceCount"],
        volume_gb=resources.get("VolumeSizeInGB") or 0,
        max_runtime_seconds=definition["StoppingCondition"].get("MaxRuntimeInSeconds") or DEFAULT_RUN,
        request=echoed,
    )


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
    )


def _transform(
    definition: Members, container: ModelContainer, training: TrainingJobSpec, deployment: Deployment
) -> TransformJobSpec:
    source, output = definition["TransformInput"], definition["TransformOutput"]
    return TransformJobSpec(
        name=training.name,
        arn=deployment.arn("transform-job", training.name),
        role_arn=training.role_arn,
        model_name=training.name,
        containers=(container,),
        environment=dict(definition.get("Environment") or {}),
        algorithm_name=training.algorithm_name,
        profile_name=training.profile_name,
        s3_data_type=source["DataSource"]["S3DataSource"]["S3DataType"],
        s3_uri=source["DataSource"]["S3DataSource"]["S3Uri"],
        content_type=source.get("ContentType"),
        compression=source.get("CompressionType") or "None",
        split_type=source.get("SplitType") or "None",
        output_uri=output["S3OutputPath"],
        accept=output.get("Accept"),
        assemble_with=output.get("AssembleWith") or "None",
        batch_strategy=definition.get("BatchStrategy"),
        max_payload_mb=definition.get("MaxPayloadInMB"),
        max_concurrent_transforms=definition.get("MaxConcurrentTransforms") or None,
        instance_type=definition["TransformResources"]["InstanceType"],
        instance_count=definition["TransformResources"]["InstanceCount"],
        request={"ModelName": training.name, **definition},
    )
