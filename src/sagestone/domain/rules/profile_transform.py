"""Rules of a transform's definition, in a validation profile or in CreateTransformJob."""

from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.domain.rules.profile_channels import s3_source_violations
from sagestone.domain.rules.profile_resources import instance_type_violations
from sagestone.shapes.violation import Violation

#: Most MB that may be on their way to one container, and in one request (documented product rule).
MOST_MB = 100
MOST_INSTANCES = 100
#: Most requests under way to one container (the documented bound of its /execution-parameters).
MOST_CONCURRENT = 100


def transform_violations(inference: Place, definition: Place) -> Iterator[Violation]:
    """What the transform job of a profile would break; nothing where there is no definition."""
    if definition.value is None:
        return
    if inference.value is None:
        yield definition.breaks("Member needs an InferenceSpecification: without one there is no container to serve")
    else:
        yield from _container_violations(inference.member("Containers"))
    yield from definition_violations(inference, definition)


def definition_violations(inference: Place, definition: Place) -> Iterator[Violation]:
    """What the definition breaks itself, and of the InferenceSpecification's lists where there is one."""
    yield from _payload_violations(definition)
    yield from _input_violations(inference, definition.member("TransformInput"))
    yield from _output_violations(inference, definition.member("TransformOutput"))
    yield from _resource_violations(inference, definition.member("TransformResources"))


def _container_violations(containers: Place) -> Iterator[Violation]:
    for container in containers.elements():
        if not container.member("Image"):
            yield container.member("Image").breaks("Member must not be null: the profile's transform needs an image")
        for name, why in (
            ("ModelDataSource", "batch transform reads an archive; use ModelDataUrl"),
            ("AdditionalModelDataSources", "batch transform reads one archive; use ModelDataUrl"),
            ("ModelDataETag", "the archive's ETag is not compared; leave it out"),
        ):
            if container.member(name):
                yield container.member(name).unsupported(why)


def _payload_violations(definition: Place) -> Iterator[Violation]:
    payload, concurrent = definition.member("MaxPayloadInMB"), definition.member("MaxConcurrentTransforms")
    if (payload.value or 0) > MOST_MB:
        yield payload.breaks(f"Member must have value less than or equal to {MOST_MB}")
    elif (payload.value or 0) * (concurrent.value or 0) > MOST_MB:
        yield concurrent.breaks(f"Member times MaxPayloadInMB, which is {payload.value}, must not exceed {MOST_MB}")
    elif (concurrent.value or 0) > MOST_CONCURRENT:
        yield concurrent.breaks(f"Member must have value less than or equal to {MOST_CONCURRENT}")


def _input_violations(inference: Place, given: Place) -> Iterator[Violation]:
    yield from s3_source_violations(given.at("DataSource", "S3DataSource"))
    yield from _listed(given.member("ContentType"), inference, "SupportedContentTypes")


def _output_violations(inference: Place, output: Place) -> Iterator[Violation]:
    yield from _listed(output.member("Accept"), inference, "SupportedResponseMIMETypes")


def _resource_violations(inference: Place, resources: Place) -> Iterator[Violation]:
    name = "SupportedTransformInstanceTypes"
    yield from instance_type_violations(resources.member("InstanceType"), inference.member(name).value or [], name)
    count = resources.member("InstanceCount")
    if count.value > MOST_INSTANCES:
        yield count.breaks(f"Member must have value less than or equal to {MOST_INSTANCES}")
    if resources.member("TransformAmiVersion"):
        yield resources.member("TransformAmiVersion").unsupported("instances have no machine image to choose")


def _listed(place: Place, inference: Place, name: str) -> Iterator[Violation]:
    types = inference.member(name).value or []
    if place and types and place.value not in types:
        yield place.breaks(f"Member must be one of {name}: [{', '.join(types)}]")
