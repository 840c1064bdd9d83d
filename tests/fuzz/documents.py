"""JSON documents that may hold what no writer of JSON writes, and requests drawn from the shapes of a service."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

import cbor2

from sagestone.shapes.service_model import ServiceModel
from tests.unit.model_requests import TEXTS, broken_constraints

_DEEPEST = 7


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that go into a document as they are."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Twice:
    """An object with a member that is given twice."""

    members: Mapping[str, Any]
    name: str
    other: Any


def written(value: Any) -> bytes:
    """The document as it is sent."""
    match value:
        case Raw():
            return value.text
        case Twice():
            return _object([*value.members.items(), (value.name, value.other)])
        case dict():
            return _object(list(value.items()))
        case list():
            return b"[" + b",".join(map(written, value)) + b"]"
    return json.dumps(value).encode()


def in_cbor(value: Any) -> bytes:
    """The document in CBOR; raises UnicodeEncodeError where it has a text that CBOR has not."""
    return cbor2.dumps(_plain(value))


def _plain(value: Any) -> Any:
    match value:
        case Raw():
            try:
                return float(value.text)
            except ValueError:
                return value.text
        case Twice():
            return _plain({**value.members, value.name: value.other})
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value


def _object(members: Sequence[tuple[str, Any]]) -> bytes:
    return b"{" + b",".join(json.dumps(name).encode() + b":" + written(each) for name, each in members) + b"}"


class Requests:
    """Valid requests of one service. `texts` are taken where the shape lets them, before the general ones."""

    def __init__(self, model: ServiceModel, texts: Sequence[str]) -> None:
        self._model = model
        self._texts = [*texts, *TEXTS]
        self._fitting: dict[str, list[str]] = {}

    def draw(self, random: Random, operation: str) -> Any:
        """The parameters of a call."""
        shape = self._model.operations[operation].input
        return {} if shape is None else self._value(random, shape, 0)

    def _value(self, random: Random, name: str, depth: int) -> Any:
        shape = self._model.shapes[name]
        match shape["type"]:
            case "structure":
                required = shape.get("required", ())
                chance = 0.0 if depth > _DEEPEST else random.choice((0.0, 0.15, 0.5))
                return {
                    member: self._value(random, facts["shape"], depth + 1)
                    for member, facts in shape["members"].items()
                    if member in required or random.random() < chance
                }
            case "list":
                least = shape.get("min", 0)
                count = min(shape.get("max", 99), random.choice((least, least, max(1, least), least + 2)))
                return [self._value(random, shape["member"]["shape"], depth + 1) for _ in range(count)]
            case "map":
                return {
                    self._value(random, shape["key"]["shape"], depth): self._value(
                        random, shape["value"]["shape"], depth + 1
                    )
                    for _ in range(random.randint(shape.get("min", 0), shape.get("min", 0) + 2))
                }
            case "boolean":
                return random.random() < 0.5
            case "timestamp":
                return random.choice((0, 1.5e9, 4e9, random.randrange(2**31)))
            case "integer" | "long":
                return random.randint(shape.get("min", -10), min(shape.get("max", 1000), 10**9))
            case "float" | "double":
                return random.uniform(shape.get("min", -1e6), shape.get("max", 1e6))
            case "blob":
                return random.choice(("", "YQ==", "AXNr" + "A" * 80))
        return random.choice(self._fitting_texts(name, shape))

    def _fitting_texts(self, name: str, shape: Mapping[str, Any]) -> list[str]:
        found = self._fitting.get(name)
        if found is None:
            facts = SimpleNamespace(type_name="string", metadata=shape, name=name)
            found = list(shape.get("enum", ())) or [text for text in self._texts if not broken_constraints(facts, text)]
            found = self._fitting[name] = found or self._texts
        return found
