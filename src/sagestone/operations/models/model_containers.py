"""The containers of a CreateModel request as they will run, whether it names images or model packages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagestone.domain.model import ServingLimits
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.plan.model import model_container
from sagestone.domain.transform_job import MOST_CONTAINERS, ModelContainer
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.models.model_data import check_model_data
from sagestone.operations.models.model_packages import find_package
from sagestone.operations.own.images import NamedImage, pin_images
from sagestone.wire.errors import ValidationException

Members = Mapping[str, Any]

#: Members of a package's container that nothing here could give to it.
_NOT_SERVED = ("ModelDataSource", "AdditionalModelDataSources", "AdditionalS3DataSource")


def model_containers(deps: Dependencies, request: Members) -> tuple[tuple[ModelContainer, ...], ServingLimits | None]:
    """The containers, their archives looked up; and the limits of the package, where the model is of one alone.

    A package of several containers gives all of them, in order. Raises ValidationException: images or archives that do
    not exist, a package that is not there, not Completed, not Approved, or that cannot be served.
    """
    given = request.get("Containers") or [request["PrimaryContainer"]]
    digests = iter(
        pin_images([NamedImage(uri=each["Image"]) for each in given if not each.get("ModelPackageName")], deps.image)
    )
    containers: list[ModelContainer] = []
    limits: ServingLimits | None = None
    for each in given:
        if each.get("ModelPackageName"):
            specification = _specification(deps, each)
            containers += _of_package(specification, each)
            limits = _limits(specification)
        else:
            containers.append(model_container(each, next(digests)))
    if len(containers) > MOST_CONTAINERS:
        raise ValidationException(
            f"The model would have {len(containers)} containers, with those of its packages; at most {MOST_CONTAINERS} "
            "are allowed"
        )
    named = [container.hostname for container in containers if container.hostname]
    if len(set(named)) < len(named):
        raise ValidationException(
            f"Container host names must be unique, with those of model packages: {', '.join(named)}"
        )
    for container in containers:
        if container.model_uri is not None:
            check_model_data(deps, container.model_uri, request.get("ExecutionRoleArn"))
    return tuple(containers), limits if len(given) == 1 else None


def _specification(deps: Dependencies, given: Members) -> Members:
    """The InferenceSpecification, or the additional one, of a package that is ready."""
    package = find_package(deps, given["ModelPackageName"])
    if package.status != "Completed":
        reason = package.validation.failure_reason if package.validation else None
        why = f" Its validation failed: {reason}" if reason else ""
        raise ValidationException(
            f"ModelPackage {package.arn} is in {package.status} status; a model needs one in Completed status.{why}"
        )
    if package.version is not None and package.approval != "Approved":
        raise ValidationException(
            f"ModelPackage {package.arn} has ModelApprovalStatus {package.approval}; a model needs a version that is "
            "Approved: see UpdateModelPackage."
        )
    return _chosen(package, given.get("InferenceSpecificationName"))


def _chosen(package: ModelPackage, name: str | None) -> Members:
    if name is None:
        specification: Members | None = package.request.get("InferenceSpecification")
        if specification is None:
            raise ValidationException(f"ModelPackage {package.arn} has no InferenceSpecification.")
        return specification
    for each in package.request.get("AdditionalInferenceSpecifications") or ():
        if each["Name"] == name:
            found: Members = each
            return found
    raise ValidationException(f"ModelPackage {package.arn} has no additional inference specification named {name}.")


def _of_package(specification: Members, given: Members) -> list[ModelContainer]:
    containers = []
    for number, container in enumerate(specification["Containers"], 1):
        unserved = [name for name in _NOT_SERVED if container.get(name)]
        if unserved or not container.get("Image"):
            why = f"has {', '.join(unserved)}, which is not supported yet" if unserved else "names no image"
            raise ValidationException(f"Container {number} of ModelPackage {given['ModelPackageName']} {why}.")
        containers.append(model_container(container, container["ImageDigest"], environment=given.get("Environment")))
    hostname = given.get("ContainerHostname")
    if not hostname:
        return containers
    if len(containers) > 1:
        raise ValidationException(
            f"ContainerHostname {hostname} cannot name the {len(containers)} containers of ModelPackage "
            f"{given['ModelPackageName']}: leave it out."
        )
    return [replace(containers[0], hostname=hostname)]


def _limits(specification: Members) -> ServingLimits:
    return ServingLimits(
        transform_instance_types=tuple(specification.get("SupportedTransformInstanceTypes") or ()),
        content_types=tuple(specification.get("SupportedContentTypes") or ()),
        response_types=tuple(specification.get("SupportedResponseMIMETypes") or ()),
    )
