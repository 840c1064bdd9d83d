"""What descriptions of algorithms and of model packages have in common: fillings that the service is known for."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagestone.domain.algorithm import StatusItem

Members = Mapping[str, Any]


def describe_inference(given: Members, digests: Sequence[str | None]) -> dict[str, Any]:
    """An InferenceSpecification with the digests of its images (None: a container without one)."""
    containers = []
    for container, digest in zip(given["Containers"], digests, strict=True):
        shown = filled(container, "IsCheckpoint")
        if digest is not None:
            shown["ImageDigest"] = digest
        containers.append(shown)
    return {**given, "Containers": containers}


def describe_transform_definition(given: Members) -> dict[str, Any]:
    """A TransformJobDefinition with `KmsKeyId: ""`, and without an empty VolumeKmsKeyId."""
    output = given["TransformOutput"]
    return {
        **given,
        "TransformOutput": {**output, "KmsKeyId": output.get("KmsKeyId") or ""},
        "TransformResources": without_empty_key(given["TransformResources"]),
    }


def status_details(item: StatusItem | None) -> dict[str, Any]:
    """The status details with the one item of a profile, or with none."""
    statuses = []
    if item is not None:
        reason = {"FailureReason": item.failure_reason} if item.failure_reason else {}
        statuses.append({"Name": item.name, "Status": item.status, **reason})
    return {"ValidationStatuses": statuses, "ImageScanStatuses": []}


def filled(given: Members, *booleans: str) -> dict[str, Any]:
    """The structure with `false` for every boolean that was left out."""
    return {**given, **{name: bool(given.get(name)) for name in booleans}}


def without_empty_key(resources: Members) -> dict[str, Any]:
    """The structure without a VolumeKmsKeyId that says nothing."""
    return {name: value for name, value in resources.items() if value or name != "VolumeKmsKeyId"}
