"""Writes into the specifications of a model package the digests that their images have now."""

from collections.abc import Mapping
from typing import Any

from sagestone.domain.algorithm import Algorithm
from sagestone.operations.dependencies import Dependencies
from sagestone.operations.own.images import pin_images, specification_images

Members = Mapping[str, Any]


def pinned(deps: Dependencies, specification: Members, path: str) -> dict[str, Any]:
    """The specification at `path` of the request with an ImageDigest in every container that names an image.

    Raises ValidationException as `pin_images` does.
    """
    containers = specification["Containers"]
    digests = iter(pin_images(specification_images(containers, path), deps.image))
    return {
        **specification,
        "Containers": [
            {**container, "ImageDigest": next(digests)} if container.get("Image") else dict(container)
            for container in containers
        ],
    }


def of_algorithm(algorithm: Algorithm, artifact: str | None) -> dict[str, Any]:
    """The algorithm's InferenceSpecification, its images as the algorithm has them.

    `artifact` is the archive of those containers that bring no ModelDataUrl of their own.
    """
    specification = algorithm.request["InferenceSpecification"]
    containers = []
    for container, digest in zip(specification["Containers"], algorithm.container_image_digests, strict=True):
        shown = dict(container) if digest is None else {**container, "ImageDigest": digest}
        if artifact and not shown.get("ModelDataUrl"):
            shown["ModelDataUrl"] = artifact
        containers.append(shown)
    return {**specification, "Containers": containers}
