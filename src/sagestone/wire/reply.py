"""From what an operation answers to the bytes of a reply, in AWS JSON or CBOR, and from an error to its envelope."""

from collections.abc import Iterable
from typing import Any

import orjson

from sagestone.shapes.service_model import ServiceModel
from sagestone.wire.errors import ServiceError, UnknownOperationException
from sagestone.wire.form import CBOR, JSON, Form, Shaper
from sagestone.wire.operation import Answer


class ReplyWriter:
    """Writes the replies of the served services, shaped by their models."""

    def __init__(self, models: Iterable[ServiceModel]) -> None:
        known = list(models)
        self._shapers = {model.service: _Shapers(model, JSON) for model in known}
        self._cbor_shapers = {model.service: _Shapers(model, CBOR) for model in known}

    def write(self, service: str, operation: str, answer: Answer, form: Form = JSON) -> bytes:
        """The body: bytes are JSON, which passes through as it is; None is an empty body; of a mapping only the members
        that the model knows are written, without nulls, times as epoch seconds with milliseconds."""
        if answer is None:
            return b""
        if form is JSON and isinstance(answer, bytes):
            return answer
        members = orjson.loads(answer) if isinstance(answer, bytes) else answer
        shapers = self._shapers if form is JSON else self._cbor_shapers
        return form.write(shapers[service].of_operation(operation)(members))

    def shaped(self, service: str, shape_name: str, value: Any) -> Any:
        """A value as it would be written, by the name of its shape: for documents that are stored as bytes."""
        return self._shapers[service].of_shape(shape_name)(value)


def error_body(error: ServiceError, form: Form = JSON) -> bytes:
    """The envelope of an error. An unknown operation without a message is told by its type alone. A message may quote
    header bytes that are no UTF-8: they are shown as question marks."""
    if not error.message and isinstance(error, UnknownOperationException):
        return form.write({"__type": error.code})
    message = error.message.encode("utf-8", "replace").decode()
    return form.write({"__type": error.code, "message": message})


class _Shapers:
    """The output shapes of one model as closures, each compiled when it is first wanted."""

    def __init__(self, model: ServiceModel, form: Form) -> None:
        self._model = model
        self._scalars = form.scalars
        self._shapers: dict[str, Shaper] = {}

    def of_operation(self, operation: str) -> Shaper:
        output = self._model.operations[operation].output
        return self.of_shape(output) if output else lambda answer: {}

    def of_shape(self, shape_name: str) -> Shaper:
        if shape_name in self._shapers:
            return self._shapers[shape_name]
        self._shapers[shape_name] = lambda value: self._shapers[shape_name](value)  # for a shape inside itself
        shape = self._model.shapes[shape_name]
        kind = shape["type"]
        if kind == "structure" and not shape.get("document"):
            made = _structure({name: self.of_shape(member["shape"]) for name, member in shape["members"].items()})
        elif kind == "list":
            made = _list(self.of_shape(shape["member"]["shape"]))
        elif kind == "map":
            made = _map(self.of_shape(shape["value"]["shape"]))
        else:
            made = self._scalars.get(kind, _as_it_is)
        self._shapers[shape_name] = made
        return made


def _structure(members: dict[str, Shaper]) -> Shaper:
    def shape(value: Any) -> dict[str, Any]:
        return {name: members[name](item) for name, item in value.items() if item is not None and name in members}

    return shape


def _list(element: Shaper) -> Shaper:
    return lambda value: [element(item) for item in value]


def _map(element: Shaper) -> Shaper:
    return lambda value: {str(key): element(item) for key, item in value.items()}


def _as_it_is(value: Any) -> Any:
    return value
