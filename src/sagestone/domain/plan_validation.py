"""Turns the profile of a CreateAlgorithm request into the jobs that validate the algorithm."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.image import ImageReference
from sagestone.domain.names import Deployment
from sagestone.domain.plan import ValidationPlan
from sagestone.domain.plan_training import plan_training
from sagestone.domain.training_job import TrainingJobSpec
from sagestone.domain.transform_job import ModelContainer, TransformJobSpec

Members = Mapping[str, Any]

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
    """The job of the request that the service makes of the profile for itself; isolated, as validations are."""
    specification, definition = request["TrainingSpecification"], dict(profile["TrainingJobDefinition"])
    job_request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "AlgorithmName": deployment.arn("algorithm", request["AlgorithmName"]),
            "TrainingInputMode": definition.pop("TrainingInputMode"),
        },
        "RoleArn": request["ValidationSpecification"]["ValidationRole"],
        **definition,
        "EnableNetworkIsolation": True,
    }
    return plan_training(
        job_request,
        deployment=deployment,
        image=ImageReference(uri=specification["TrainingImage"], digest=image_digest),
        specification=specification,
        algorithm_name=request["AlgorithmName"],
        profile_name=profile["ProfileName"],
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
