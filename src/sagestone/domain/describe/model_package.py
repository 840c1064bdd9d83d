"""What is answered about model packages and their groups; times are epoch seconds with milliseconds."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe.specification import describe_inference, describe_transform_definition, status_details
from sagestone.domain.model_package import ModelPackage, ModelPackageGroup

#: Members of the request that are given back as they came.
_ECHOED = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "SourceAlgorithmSpecification",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "SkipModelValidation",
    "SourceUri",
    "ModelLifeCycle",
)

_SUMMARISED = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
)


def describe_model_package(package: ModelPackage, *, metadata_only: bool = False) -> dict[str, Any]:
    """The DescribeModelPackage answer; `metadata_only` leaves the content of the model card out.

    A version has no ModelPackageName, though the API's model calls it required: the service leaves it out (observed).
    """
    request = package.request
    answer = {
        **identity(package),
        **{name: request[name] for name in _ECHOED if request.get(name) is not None},
        "CreationTime": round(package.created_at, 3),
        "ModelPackageStatus": package.status,
        "ModelPackageStatusDetails": status_details(package.validation),
        "CertifyForMarketplace": bool(request.get("CertifyForMarketplace")),
    }
    if package.modified_at != package.created_at:
        answer["LastModifiedTime"] = round(package.modified_at, 3)
    if request.get("InferenceSpecification") is not None:
        answer["InferenceSpecification"] = _specification(request["InferenceSpecification"])
    if request.get("AdditionalInferenceSpecifications"):
        answer["AdditionalInferenceSpecifications"] = [
            _specification(each) for each in request["AdditionalInferenceSpecifications"]
        ]
    if request.get("ValidationSpecification") is not None:
        answer["ValidationSpecification"] = _validation(request["ValidationSpecification"])
    if request.get("ModelCard") is not None:
        hidden = {"ModelCardContent": ""} if metadata_only else {}
        answer["ModelCard"] = {**request["ModelCard"], **hidden}
    return answer


def summarise_model_package(package: ModelPackage) -> dict[str, Any]:
    """The entry of BatchDescribeModelPackage."""
    described = describe_model_package(package)
    return {name: described[name] for name in _SUMMARISED if name in described}


def describe_group(group: ModelPackageGroup) -> dict[str, Any]:
    """The DescribeModelPackageGroup answer; nobody is known as its creator."""
    described = {"ModelPackageGroupDescription": group.description} if group.description is not None else {}
    return {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        **described,
        "CreationTime": round(group.created_at, 3),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }


def identity(package: ModelPackage) -> dict[str, Any]:
    """How a package is called: by its own name, or by its group and version."""
    if package.group is None:
        return {"ModelPackageName": package.name, "ModelPackageArn": package.arn}
    return {
        "ModelPackageGroupName": package.group,
        "ModelPackageVersion": package.version,
        "ModelPackageArn": package.arn,
    }


def _specification(given: Mapping[str, Any]) -> dict[str, Any]:
    return describe_inference(given, [container.get("ImageDigest") for container in given["Containers"]])


def _validation(given: Mapping[str, Any]) -> dict[str, Any]:
    profiles = [
        {**profile, "TransformJobDefinition": describe_transform_definition(profile["TransformJobDefinition"])}
        for profile in given["ValidationProfiles"]
    ]
    return {**given, "ValidationProfiles": profiles}
