"""Pins the images of a CreateAlgorithm request to digests."""

from collections.abc import Callable, Mapping
from typing import Any

from sagestone.containers.runtime import ImageNotFound, RuntimeFailure
from sagestone.operations.dependencies import ResolvedImage
from sagestone.wire.errors import ValidationException

FindImage = Callable[[str], ResolvedImage]


def resolve_images(request: Mapping[str, Any], find: FindImage) -> tuple[str, tuple[str | None, ...]]:
    """The digest of the training image, and of each container's image (None where it names none).

    Raises ValidationException that names every image that does not exist or has another digest than the request says.
    """
    complaints: list[str] = []
    specification = request["TrainingSpecification"]
    training = _resolve(
        specification["TrainingImage"],
        specification.get("TrainingImageDigest"),
        "trainingSpecification.trainingImageDigest",
        find,
        complaints,
    )
    containers = [
        _resolve(
            container["Image"],
            container.get("ImageDigest"),
            f"inferenceSpecification.containers.{number}.member.imageDigest",
            find,
            complaints,
        )
        if container.get("Image")
        else None
        for number, container in enumerate((request.get("InferenceSpecification") or {}).get("Containers", ()), 1)
    ]
    if complaints:
        raise ValidationException(" ".join(dict.fromkeys(complaints)))
    return training, tuple(containers)


def _resolve(uri: str, expected: str | None, path: str, find: FindImage, complaints: list[str]) -> str:
    try:
        digest = find(uri).digest
    except ImageNotFound:
        complaints.append(
            f"Requested image {uri} not found. Make it known to the container runtime first: pull or build it with the "
            "engine, or load an archive of it with `sagestone image load`."
        )
        return ""
    except RuntimeFailure as error:
        complaints.append(f"Requested image {uri} could not be looked up: {error}")
        return ""
    if expected is not None and expected.lower() != digest.lower():
        complaints.append(
            f"Value '{expected}' at '{path}' failed to satisfy constraint: Member must be the digest of image {uri}, "
            f"which is {digest}."
        )
    return digest
