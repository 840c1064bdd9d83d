"""Pins the images of a request to the digests that the runtime holds them under."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sagestone.containers.runtime import ImageNotFound, RuntimeFailure
from sagestone.operations.dependencies import ResolvedImage
from sagestone.shapes.violation import Violation, summary
from sagestone.wire.errors import ValidationException

FindImage = Callable[[str], ResolvedImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """An image as a request names it; `expected` is the digest that the request gives at `path`, if any."""

    uri: str
    expected: str | None = None
    path: str = ""


def resolve_images(request: Mapping[str, Any], find: FindImage) -> tuple[str, tuple[str | None, ...]]:
    """The digests of a CreateAlgorithm request: of the training image, and of each container's image (None: no image).

    Raises ValidationException as `pin_images` does.
    """
    specification = request["TrainingSpecification"]
    containers = (request.get("InferenceSpecification") or {}).get("Containers", ())
    training = NamedImage(
        uri=specification["TrainingImage"],
        expected=specification.get("TrainingImageDigest"),
        path="trainingSpecification.trainingImageDigest",
    )
    first, *digests = pin_images([training, *specification_images(containers)], find)
    found = iter(digests)
    return first, tuple(next(found) if container.get("Image") else None for container in containers)


def specification_images(
    containers: Sequence[Mapping[str, Any]], path: str = "inferenceSpecification"
) -> list[NamedImage]:
    """The images of a specification's containers, those that name one; `path` is where it stands in the request."""
    return [
        NamedImage(
            uri=container["Image"],
            expected=container.get("ImageDigest"),
            path=f"{path}.containers.{number}.member.imageDigest",
        )
        for number, container in enumerate(containers, 1)
        if container.get("Image")
    ]


def pin_images(images: Sequence[NamedImage], find: FindImage) -> list[str]:
    """The digest of each image, in order.

    Raises ValidationException that names every image that does not exist or has another digest than the request says.
    """
    complaints: list[str] = []
    wrong: list[Violation] = []
    found = cache(find)  # training and inference image are often one
    digests = [_resolve(image, found, complaints, wrong) for image in images]
    if complaints or wrong:
        raise ValidationException(" ".join([*dict.fromkeys(complaints), *([summary(wrong)] if wrong else [])]))
    return digests


def _resolve(image: NamedImage, find: FindImage, complaints: list[str], wrong: list[Violation]) -> str:
    try:
        digest = find(image.uri).digest
    except ImageNotFound:
        complaints.append(
            f"Requested image {image.uri} not found. Make it known to the container runtime first: pull or build it "
            "with the engine, or load an archive of it with `sagestone image load`."
        )
        return ""
    except RuntimeFailure as error:
        complaints.append(f"Requested image {image.uri} could not be looked up: {error}")
        return ""
    if image.expected is not None and image.expected.lower() != digest.lower():
        constraint = f"Member must be the digest of image {image.uri}, which is {digest}"
        wrong.append(Violation(path=image.path, value=f"'{image.expected}'", constraint=constraint))
    return digest
