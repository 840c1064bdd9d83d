"""Members that the service model does not know: the service drops them without a word, so a dry run tells them."""

from collections.abc import Iterator
from typing import Any

from sagestone.shapes.service_model import ServiceModel


def unknown_members(model: ServiceModel, operation: str, parameters: Any) -> list[str]:
    """The paths of all members of a request that its shape does not have (`Tags[0].key`), in the order of the request.

    Values of the wrong type are passed over: `shapes.check` speaks of those.
    """
    shape_name = model.operations[operation].input
    return [] if shape_name is None else list(_walk(model, shape_name, parameters, ""))


def _walk(model: ServiceModel, shape_name: str, value: Any, path: str) -> Iterator[str]:
    shape = model.shapes[shape_name]
    if shape["type"] == "structure" and isinstance(value, dict):
        for name, member in value.items():
            below = f"{path}.{name}" if path else name
            if name in shape["members"]:
                yield from _walk(model, shape["members"][name]["shape"], member, below)
            else:
                yield below
    elif shape["type"] == "list" and isinstance(value, list):
        for index, member in enumerate(value):
            yield from _walk(model, shape["member"]["shape"], member, f"{path}[{index}]")
    elif shape["type"] == "map" and isinstance(value, dict):
        for key, member in value.items():
            yield from _walk(model, shape["value"]["shape"], member, f"{path}[{key!r}]")
