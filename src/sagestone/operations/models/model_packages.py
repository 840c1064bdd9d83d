"""DescribeModelPackage, BatchDescribeModelPackage, ListModelPackages and DeleteModelPackage."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe.model_package import describe_model_package as describe
from sagestone.domain.describe.model_package import summarise_model_package
from sagestone.domain.model_package import ModelPackage
from sagestone.domain.transition import TransitionRefused, request_delete
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.list_query import list_page, page_answer
from sagestone.operations.resource_names import does_not_exist, resource_name
from sagestone.store.interface import ResourceRow
from sagestone.wire.call import Call
from sagestone.wire.errors import ConflictException, ServiceError, ValidationException


def find_package(deps: Dependencies, name_or_arn: str) -> ModelPackage:
    """The package of a name, `GROUP/VERSION` or ARN; raises ValidationException where there is none."""
    package = deps.store.resource(ModelPackage, resource_name(deps.deployment, "model-package", name_or_arn))
    if package is None:
        raise does_not_exist(deps.deployment, "model-package", name_or_arn)
    return package


def describe_model_package(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The package and how its validation stands."""
    package = find_package(deps, call.parameters["ModelPackageName"])
    return describe(package, metadata_only=call.parameters.get("IncludedData") == "MetadataOnly")


def batch_describe_model_package(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Several packages by their ARNs; those that cannot be described are told apart."""
    found: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    for arn in call.parameters["ModelPackageArnList"]:
        try:
            package = find_package(deps, arn)
            if "InferenceSpecification" not in package.request:
                raise ValidationException(
                    f"ModelPackage {arn} has no InferenceSpecification: use DescribeModelPackage."
                )
            found[arn] = summarise_model_package(package)
        except ServiceError as error:
            failed[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": failed}


def list_model_packages(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries, oldest first: those without a group, or the versions of a group, unless told otherwise."""
    parameters = call.parameters
    group = parameters.get("ModelPackageGroupName")
    page = list_page(
        lambda query: deps.store.list_resources(ModelPackage, query),
        parameters,
        group=resource_name(deps.deployment, "model-package-group", group) if group else None,
        grouped=_GROUPED[parameters.get("ModelPackageType") or ("Both" if group else "Unversioned")],
        secondary_status=parameters.get("ModelApprovalStatus"),
    )
    return page_answer("ModelPackageSummaryList", [_summary(row) for row in page.rows], page.token)


def delete_model_package(deps: Dependencies, call: Call) -> None:
    """Take the package away at once; models that were made of it stay.

    Raises ConflictException while it is Pending or InProgress.
    """
    package = find_package(deps, call.parameters["ModelPackageName"])
    try:
        request_delete(package)  # Completed and Failed are final: it cannot begin again meanwhile
    except TransitionRefused as refusal:
        raise ConflictException(str(refusal)) from None
    deps.store.remove_resource(ModelPackage, package.name)


_GROUPED = {"Versioned": True, "Unversioned": False, "Both": None}


def _summary(row: ResourceRow) -> dict[str, Any]:
    group, slash, version = row.name.partition("/")
    called = {"ModelPackageGroupName": group, "ModelPackageVersion": int(version)} if slash else {}
    described = {} if row.description is None else {"ModelPackageDescription": row.description}
    approved = {} if row.secondary_status is None else {"ModelApprovalStatus": row.secondary_status}
    return {
        **(called or {"ModelPackageName": row.name}),
        "ModelPackageArn": row.arn,
        **described,
        "CreationTime": round(row.created_at, 3),
        "ModelPackageStatus": row.status,
        **approved,
    }
