"""The rules of CreateModel that the service model cannot say, all of them at once.

A model that only an endpoint could use is kept, as the service keeps it; `domain.model_transform` says which models a
transform job refuses.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.members.tables import unknown_member_violations
from sagestone.domain.place import Place
from sagestone.domain.rules.hostnames import hostname_violations
from sagestone.domain.tags import tag_violations
from sagestone.shapes.violation import Violation

#: Most bytes of all keys and values of the environments of a model (documented for one map and for all of them).
MOST_ENVIRONMENT_BYTES = 32 * 1024

#: Members that say what a model package says already.
_OF_PACKAGE = ("Image", "ImageConfig", "ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources")


def model_violations(request: Mapping[str, Any]) -> list[Violation]:
    """Every broken rule of a CreateModel request, in the order of its members."""
    return list(_violations(Place(request)))


def container_places(request: Place) -> list[Place]:
    """The containers of a CreateModel request, whichever member brings them."""
    primary = request.member("PrimaryContainer")
    return [*([primary] if primary.value is not None else []), *request.member("Containers").elements()]


def _violations(request: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("CreateModel", request)
    primary, several = request.member("PrimaryContainer"), request.member("Containers")
    if primary.value is None and not several:
        yield primary.lacks("Member must not be null: a model needs a PrimaryContainer or Containers")
    elif primary.value is not None and several:
        yield several.breaks("Member must be absent: the request has a PrimaryContainer")
    for container in container_places(request):
        yield from _container_violations(container)
    yield from hostname_violations(several)
    yield from _environment_violations(request)
    yield from tag_violations(request.member("Tags"))


def _container_violations(container: Place) -> Iterator[Violation]:
    package = container.member("ModelPackageName")
    if package:
        for name in _OF_PACKAGE:
            if container.member(name):
                yield container.member(name).breaks("Member must be absent: it comes from the model package")
        return
    if container.member("InferenceSpecificationName"):
        yield container.member("InferenceSpecificationName").breaks("Member must be absent without a ModelPackageName")
    if not container.member("Image"):
        yield container.member("Image").lacks("Member must not be null: a container needs an image or a model package")
    if container.member("ModelDataUrl") and container.member("ModelDataSource"):
        yield container.member("ModelDataUrl").breaks("Member must be absent: the container has a ModelDataSource")
    access = container.at("ImageConfig", "RepositoryAccessMode")
    if access.value == "Vpc":
        yield access.unsupported("images come from the container runtime; use Platform")


def _environment_violations(request: Place) -> Iterator[Violation]:
    total = 0
    for container in container_places(request):
        environment = container.member("Environment")
        total += sum(len(f"{key}{place.value}".encode()) for key, place in environment.entries())
        if total > MOST_ENVIRONMENT_BYTES:
            yield environment.breaks(
                f"Member, with those of the containers before it, must have at most {MOST_ENVIRONMENT_BYTES} bytes of "
                f"keys and values, not {total}"
            )
            return
