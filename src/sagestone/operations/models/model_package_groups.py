"""CreateModelPackageGroup, DescribeModelPackageGroup, ListModelPackageGroups and DeleteModelPackageGroup."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.describe.model_package import describe_group
from sagestone.domain.model_package import ModelPackageGroup
from sagestone.domain.place import Place
from sagestone.domain.tags import tag_map, tag_violations
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.list_query import list_page, page_answer
from sagestone.operations.resource_names import does_not_exist, resource_name
from sagestone.shapes.violation import summary
from sagestone.store.interface import NameTaken, NotEmpty, ResourceRow
from sagestone.wire.call import Call
from sagestone.wire.errors import ConflictException, ValidationException


def create_model_package_group(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Keep an empty group; raises ValidationException for a taken name."""
    violations = list(tag_violations(Place(call.parameters).member("Tags")))
    if violations:
        raise ValidationException(summary(violations))
    if call.parameters.get("ManagedConfiguration"):
        raise ValidationException("ManagedConfiguration is not supported: there is no managed storage here")
    name = call.parameters["ModelPackageGroupName"]
    group = ModelPackageGroup(
        name=name,
        arn=deps.deployment.arn("model-package-group", name),
        created_at=round(deps.clock(), 3),
        description=call.parameters.get("ModelPackageGroupDescription"),
    )
    try:
        deps.store.add_resource(group, tag_map(call.parameters.get("Tags") or ()))
    except NameTaken:
        raise ValidationException(f"Model Package Group already exists: {group.arn}") from None
    return {"ModelPackageGroupArn": group.arn}


def describe_model_package_group(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """The group; raises ValidationException where there is none."""
    given = call.parameters["ModelPackageGroupName"]
    group = deps.store.resource(ModelPackageGroup, resource_name(deps.deployment, "model-package-group", given))
    if group is None:
        raise does_not_exist(deps.deployment, "model-package-group", given)
    return describe_group(group)


def list_model_package_groups(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """A page of summaries: by creation time, oldest first, unless the request says otherwise."""
    if call.parameters.get("CrossAccountFilterOption") == "CrossAccount":
        raise ValidationException("CrossAccountFilterOption must be SameAccount: no other account shares groups here")
    page = list_page(lambda query: deps.store.list_resources(ModelPackageGroup, query), call.parameters)
    return page_answer("ModelPackageGroupSummaryList", [_summary(row) for row in page.rows], page.token)


def delete_model_package_group(deps: Dependencies, call: Call) -> None:
    """Take an empty group away; raises ConflictException while it has versions."""
    given = call.parameters["ModelPackageGroupName"]
    name = resource_name(deps.deployment, "model-package-group", given)
    try:
        removed = deps.store.remove_resource(ModelPackageGroup, name)
    except NotEmpty:
        arn = deps.deployment.arn("model-package-group", name)
        raise ConflictException(
            f"Model Package Group {arn} cannot be deleted because it still contains Model Packages"
        ) from None
    if not removed:
        raise does_not_exist(deps.deployment, "model-package-group", given)


def _summary(row: ResourceRow) -> dict[str, Any]:
    described = {} if row.description is None else {"ModelPackageGroupDescription": row.description}
    return {
        "ModelPackageGroupName": row.name,
        "ModelPackageGroupArn": row.arn,
        **described,
        "CreationTime": round(row.created_at, 3),
        "ModelPackageGroupStatus": row.status,
    }
