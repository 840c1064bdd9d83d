"""The rules of model packages that the service model cannot say, all of them at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.members.tables import unknown_member_violations
from sagestone.domain.place import Place, repeated
from sagestone.domain.rules.profile_transform import transform_violations
from sagestone.domain.rules.specification_inference import inference_violations
from sagestone.domain.rules.specification_marketplace import marketplace_violations
from sagestone.domain.tags import tag_violations
from sagestone.shapes.violation import Violation

#: What an unversioned package has to say about where it runs (documented).
_TYPES = ("SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes")


def package_violations(request: Mapping[str, Any], algorithm_inference: Mapping[str, Any] | None) -> list[Violation]:
    """Every broken rule of a CreateModelPackage request; the second is the source algorithm's, where one is named."""
    return list(_violations(Place(request), Place(algorithm_inference)))


def update_violations(request: Mapping[str, Any], kept: Mapping[str, Any]) -> list[Violation]:
    """Every broken rule of an UpdateModelPackage request to a package whose members are `kept`."""
    return list(_update_violations(Place(request), Place(kept)))


def _violations(request: Place, algorithm_inference: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("CreateModelPackage", request)
    yield from _content_violations(request, algorithm_inference)
    inference = request.member("InferenceSpecification")
    yield from _specification_violations(inference)
    if inference.value is not None and not request.member("ModelPackageGroupName"):
        for name in _TYPES:
            if not inference.member(name):
                yield inference.member(name).lacks("Member must not be null: a package without a group needs it")
    yield from _additional_violations(request.member("AdditionalInferenceSpecifications"), Place(None))
    served = inference if inference.value is not None else algorithm_inference
    for profile in request.at("ValidationSpecification", "ValidationProfiles").elements():
        yield from transform_violations(served, profile.member("TransformJobDefinition"))
    yield from marketplace_violations(request)
    yield from _refusals(request)
    yield from tag_violations(request.member("Tags"))
    if request.member("Tags") and request.member("ModelPackageGroupName"):
        yield request.member("Tags").breaks("Member must be empty: a version has the tags of its group")


def _content_violations(request: Place, algorithm_inference: Place) -> Iterator[Violation]:
    inference, source = request.member("InferenceSpecification"), request.member("SourceAlgorithmSpecification")
    if inference.value is not None and source.value is not None:
        yield source.breaks("Member must be absent: the request has an InferenceSpecification")
    if inference.value is None and source.value is None and not request.member("ModelPackageGroupName"):
        yield inference.lacks(
            "Member must not be null: a package without a group needs an InferenceSpecification or a "
            "SourceAlgorithmSpecification"
        )
    for algorithm in source.member("SourceAlgorithms").elements():
        if algorithm_inference.value is None:
            yield algorithm.member("AlgorithmName").breaks(
                "Member must name an algorithm with an InferenceSpecification"
            )
        for name in ("ModelDataSource", "ModelDataETag"):
            if algorithm.member(name):
                yield algorithm.member(name).unsupported("use ModelDataUrl")


def _specification_violations(specification: Place) -> Iterator[Violation]:
    yield from inference_violations(specification)
    for container in specification.member("Containers").elements():
        if container.member("ModelDataETag"):
            yield container.member("ModelDataETag").unsupported("the archive's ETag is not compared; leave it out")


def _additional_violations(added: Place, kept: Place) -> Iterator[Violation]:
    for specification in added.elements():
        yield from _specification_violations(specification)
    yield from repeated((each.member("Name") for each in (*kept.elements(), *added.elements())), "name")


def _refusals(request: Place) -> Iterator[Violation]:
    for place, why in (
        (
            request.at("SecurityConfig", "KmsKeyId"),
            "the state, where packages lie, is not encrypted; leave it out or empty",
        ),
        (request.member("ManagedStorageType"), "there is no managed storage here"),
    ):
        if place:
            yield place.unsupported(why)


def _update_violations(request: Place, kept: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("UpdateModelPackage", request)
    yield from _specification_violations(request.member("InferenceSpecification"))
    yield from _additional_violations(
        request.member("AdditionalInferenceSpecificationsToAdd"), kept.member("AdditionalInferenceSpecifications")
    )
