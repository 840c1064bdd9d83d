"""UpdateModelPackage."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagestone.domain.model_package import ModelPackage
from sagestone.domain.rules.package import update_violations
from sagestone.domain.transition import approve
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.models.model_packages import find_package
from sagestone.operations.models.package_images import pinned
from sagestone.shapes.violation import summary
from sagestone.store.interface import NotFound
from sagestone.wire.call import Call
from sagestone.wire.errors import ConflictException, ValidationException

#: Members that take the place of what was there.
_REPLACED = ("ApprovalDescription", "ModelPackageRegistrationType", "SourceUri", "ModelCard", "ModelLifeCycle")


def update_model_package(deps: Dependencies, call: Call) -> Mapping[str, Any]:
    """Change a version: its approval, its metadata, its specifications. The same update again changes nothing.

    Raises ValidationException for an unversioned package and where a rule is broken, ConflictException while the
    package is Pending or InProgress.
    """
    asked = call.parameters
    package = find_package(deps, asked["ModelPackageArn"])
    if package.group is None:
        raise ValidationException(f"ModelPackage {package.arn} is not a version of a group: it cannot be updated.")
    there, asked_for = package.request.get("AdditionalInferenceSpecifications") or (), _additions(deps, asked)
    others = [each for each in there if each not in asked_for]
    violations = update_violations(asked, {**package.request, "AdditionalInferenceSpecifications": others})
    if violations:
        raise ValidationException(summary(violations))
    changes = {name: asked[name] for name in _REPLACED if asked.get(name) is not None}
    if asked.get("InferenceSpecification"):
        changes["InferenceSpecification"] = pinned(deps, asked["InferenceSpecification"], "inferenceSpecification")
    now = round(deps.clock(), 3)

    def change(known: ModelPackage) -> ModelPackage:
        if known.status not in ("Completed", "Failed"):
            raise ConflictException(f"Cannot update ModelPackage in {known.status} status")
        request = {**known.request, **changes, **_metadata(known.request, asked)}
        if asked_for:
            kept = known.request.get("AdditionalInferenceSpecifications") or []
            added = [each for each in asked_for if each not in kept]
            request["AdditionalInferenceSpecifications"] = [*kept, *added]
        changed = known if request == known.request else replace(known, request=request, modified_at=now)
        status = asked.get("ModelApprovalStatus")
        return changed if status is None or status == known.approval else approve(changed, status, now)

    try:
        return {"ModelPackageArn": deps.store.change_resource(ModelPackage, package.name, change).arn}
    except NotFound:
        return {"ModelPackageArn": find_package(deps, package.arn).arn}  # which says that it is gone


def _additions(deps: Dependencies, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        pinned(deps, each, f"additionalInferenceSpecificationsToAdd.{number}.member")
        for number, each in enumerate(asked.get("AdditionalInferenceSpecificationsToAdd") or (), 1)
    ]


def _metadata(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    before = kept.get("CustomerMetadataProperties")
    after = {**(before or {}), **(asked.get("CustomerMetadataProperties") or {})}
    for key in asked.get("CustomerMetadataPropertiesToRemove") or ():
        after.pop(key, None)
    return {"CustomerMetadataProperties": after or None} if after != (before or {}) else {}
