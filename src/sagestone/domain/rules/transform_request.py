"""The rules of CreateTransformJob that the service model cannot say."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.data_capture import data_capture_violations
from sagestone.domain.data_processing import data_processing_violations
from sagestone.domain.members.tables import unknown_member_violations
from sagestone.domain.model import Model, ServingLimits
from sagestone.domain.place import Place
from sagestone.domain.rules.profile_transform import definition_violations
from sagestone.domain.tags import tag_violations
from sagestone.shapes.violation import Violation


def transform_request_violations(request: Mapping[str, Any]) -> list[Violation]:
    """Every rule that a request breaks whatever its model is, in the order of its members."""
    return list(_violations(Place(request)))


def limit_violations(request: Mapping[str, Any], limits: ServingLimits) -> list[Violation]:
    """What a request that broke no rule asks beyond what the model's package supports."""
    supported = {
        "SupportedTransformInstanceTypes": list(limits.transform_instance_types),
        "SupportedContentTypes": list(limits.content_types),
        "SupportedResponseMIMETypes": list(limits.response_types),
    }
    return list(definition_violations(Place(supported), Place(request)))


def model_refusal(model: Model) -> str | None:
    """Why no transform job can serve this model, in words for the caller; None where one can.

    The text on ModelDataSource is the service's own (observed); the others follow it.
    """
    opening = "SageMaker Batch currently doesn't support Model entity with container definitions which use"
    request = model.request
    containers = request.get("Containers") or [request.get("PrimaryContainer") or {}]
    for name in ("ModelDataSource", "AdditionalModelDataSources"):
        if any(container.get(name) for container in containers):
            return f"{opening} {name} attribute. Create the model with ModelDataUrl."
    if any(container.get("Mode") == "MultiModel" for container in containers):
        return f"{opening} Mode MultiModel. Create a model of SingleModel."
    if (request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct":
        return (
            f"Model {model.name} has InferenceExecutionConfig Mode Direct, which is for endpoints: a transform job "
            "sends each record through all containers in order. Create the model with Mode Serial."
        )
    return None


def _violations(request: Place) -> Iterator[Violation]:
    yield from unknown_member_violations("CreateTransformJob", request)
    yield from definition_violations(Place(None), request)
    yield from data_processing_violations(request)
    yield from data_capture_violations(request)
    yield from tag_violations(request.member("Tags"))
