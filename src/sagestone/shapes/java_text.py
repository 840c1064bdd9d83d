"""How values look in AWS's messages: as Java prints them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.shapes.service_model import ServiceModel

#: Longer values are cut: they are the caller's own words, and may be megabytes.
LONGEST_VALUE = 1024


def quoted(model: ServiceModel, shape_name: str, value: Any) -> str:
    """`'text'`, `'[a, b]'`, `'{k=v}'` or `'[Tag(key=k, value=v)]'`; cut with `…` after LONGEST_VALUE characters."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(model, shape_name, value):
        pieces.append(piece[: LONGEST_VALUE - length + 1])
        length += len(pieces[-1])
        if length > LONGEST_VALUE:
            return f"'{''.join(pieces)[:LONGEST_VALUE]}…'"
    return f"'{''.join(pieces)}'"


def member_path_name(name: str) -> str:
    """A member's name in a path: its first letter in lower case."""
    return name[:1].lower() + name[1:]


def _pieces(model: ServiceModel, shape_name: str, value: Any) -> Iterator[str]:
    shape = model.shapes[shape_name]
    if isinstance(value, str):
        yield value
    elif value is None:
        yield "null"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, list):
        yield "["
        for index, element in enumerate(value):
            if index:
                yield ", "
            yield from _pieces(model, shape["member"]["shape"], element)
        yield "]"
    elif isinstance(value, Mapping) and shape["type"] == "map":
        yield "{"
        for index, (key, element) in enumerate(value.items()):
            yield f", {key}=" if index else f"{key}="
            yield from _pieces(model, shape["value"]["shape"], element)
        yield "}"
    elif isinstance(value, Mapping):
        yield f"{shape_name}("
        for index, (name, element) in enumerate(value.items()):
            yield f", {member_path_name(name)}=" if index else f"{member_path_name(name)}="
            member = shape["members"][name]["shape"]
            yield from ("***",) if model.shapes[member].get("sensitive") else _pieces(model, member, element)
        yield ")"
    else:
        yield str(value)
