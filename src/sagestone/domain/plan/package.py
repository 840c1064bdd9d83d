"""Turns the profile of a model package into the model and the transform job that validate it."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.names import Deployment
from sagestone.domain.plan.algorithm import job_name
from sagestone.domain.plan.model import plan_model
from sagestone.domain.plan.transform import plan_transform
from sagestone.domain.plan.validation_plan import PackagePlan

Members = Mapping[str, Any]


def plan_package(request: Members, *, deployment: Deployment, suffix: str) -> PackagePlan | None:
    """The plan of a package whose InferenceSpecification carries its digests; None where nothing is to be validated.

    Model and job get the name `<package or group>-<profile>-<suffix>`.
    """
    validation = request.get("ValidationSpecification") or {}
    profiles = validation.get("ValidationProfiles")
    if not profiles or request.get("SkipModelValidation") == "All":
        return None
    profile = profiles[0]
    package = request.get("ModelPackageName") or request["ModelPackageGroupName"]
    containers = request["InferenceSpecification"]["Containers"]
    model = plan_model(
        containers,
        [container["ImageDigest"] for container in containers],
        name=job_name(package, profile["ProfileName"], suffix),
        role_arn=validation["ValidationRole"],
        deployment=deployment,
    )
    transform = plan_transform(
        {"ModelName": model.name, **profile["TransformJobDefinition"]},
        model=model,
        name=model.name,
        deployment=deployment,
        profile_name=profile["ProfileName"],
    )
    return PackagePlan(profile_name=profile["ProfileName"], model=model, transform=transform)
