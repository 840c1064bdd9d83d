"""Turns the profile of a CreateAlgorithm request into the jobs that validate the algorithm."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.image import ImageReference
from sagestone.domain.names import Deployment
from sagestone.domain.plan.model import plan_model
from sagestone.domain.plan.training import plan_training
from sagestone.domain.plan.transform import plan_transform
from sagestone.domain.plan.validation_plan import ValidationPlan
from sagestone.domain.training_job import TrainingJobSpec

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

    Both jobs, and the model between them, get the name `<algorithm>-<profile>-<suffix>`; `suffix` makes it unique. The
    digests stand in the order of the images, as `Algorithm` holds them.
    """
    validation = request.get("ValidationSpecification")
    if validation is None:
        return None
    profile = validation["ValidationProfiles"][0]
    name = job_name(request["AlgorithmName"], profile["ProfileName"], suffix)
    training = _training(request, profile, name, deployment, training_image_digest)
    inference, definition = request.get("InferenceSpecification"), profile.get("TransformJobDefinition")
    model, transform = None, None
    if inference is not None and definition is not None:
        model = plan_model(
            inference["Containers"],
            container_image_digests,
            name=name,
            role_arn=training.role_arn,
            deployment=deployment,
            artifact=training.artifact_uri,
        )
        transform = plan_transform(
            {"ModelName": model.name, **definition},
            model=model,
            name=training.name,
            deployment=deployment,
            algorithm_name=training.algorithm_name,
            profile_name=training.profile_name,
        )
    return ValidationPlan(profile_name=profile["ProfileName"], training=training, model=model, transform=transform)


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
