"""The query protocol of STS and IAM: a form becomes parameters by the shapes of the model, an answer becomes XML."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from sagestone.shapes.service_model import OperationFacts, ServiceModel
from sagestone.shapes.violation import WrongType

#: Most fields of a form, the depth and length of lists with them.
MOST_FIELDS = 2000


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; raises WrongType for one that cannot be read. The last of equal names counts."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, strict_parsing=True))
    except ValueError as problem:  # also what is no UTF-8
        raise WrongType(f"The body is not a form: {problem}") from None


def read_parameters(model: ServiceModel, operation: OperationFacts, fields: Mapping[str, str]) -> dict[str, Any]:
    """The parameters as JSON would have them; raises WrongType for a scalar of the wrong type.

    Fields that the model does not know are passed over, as AWS does.
    """
    if operation.input is None:
        return {}
    found: dict[str, Any] = _read(model, operation.input, fields, "")
    return found


def write_answer(model: ServiceModel, operation: OperationFacts, answer: Mapping[str, Any], request_id: str) -> bytes:
    """The whole reply, with the members that the model knows, in its order."""
    result = ""
    if operation.output is not None:
        inner = _write(model, operation.output, answer)
        wrapper = operation.result_wrapper
        result = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{operation.name}Response xmlns="{escape(model.xml_namespace)}">{result}'
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{operation.name}Response>"
    ).encode("utf-8", "replace")


def _read(model: ServiceModel, shape_name: str, fields: Mapping[str, str], path: str) -> Any:
    shape = model.shapes[shape_name]
    kind = shape["type"]
    if kind == "structure":
        prefix = f"{path}." if path else ""
        return {
            name: _read(model, member["shape"], fields, f"{prefix}{name}")
            for name, member in shape["members"].items()
            if _is_there(fields, f"{prefix}{name}")
        }
    if kind == "list":
        element = shape["member"]
        base = path if shape.get("flattened") else f"{path}.{element.get('locationName', 'member')}"
        return [_read(model, element["shape"], fields, f"{base}.{number}") for number in _numbers(fields, base)]
    if kind == "map":
        key, value = shape["key"], shape["value"]
        entries = [f"{path}.entry.{number}" for number in _numbers(fields, f"{path}.entry")]
        return {
            fields.get(f"{entry}.{key.get('locationName', 'key')}", ""): _read(
                model, value["shape"], fields, f"{entry}.{value.get('locationName', 'value')}"
            )
            for entry in entries
        }
    return _scalar(kind, fields.get(path, ""), path)


def _is_there(fields: Mapping[str, str], path: str) -> bool:
    return path in fields or any(name.startswith(f"{path}.") for name in fields)


def _numbers(fields: Mapping[str, str], base: str) -> list[int]:
    steps = {name[len(base) + 1 :].partition(".")[0] for name in fields if name.startswith(f"{base}.")}
    return sorted(int(step) for step in steps if step.isascii() and step.isdigit() and len(step) < 6)


def _scalar(kind: str, text: str, path: str) -> Any:
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "timestamp":
            return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, KeyError):
        raise WrongType(f"{text[:100]!r} is no {kind}, which {path} is") from None
    return text


def _write(model: ServiceModel, shape_name: str, value: Any) -> str:
    shape = model.shapes[shape_name]
    kind = shape["type"]
    if kind == "structure":
        return "".join(
            f"<{name}>{_write(model, member['shape'], value[name])}</{name}>"
            for name, member in shape["members"].items()
            if value.get(name) is not None
        )
    if kind == "list":
        element = shape["member"]
        name = element.get("locationName", "member")
        return "".join(f"<{name}>{_write(model, element['shape'], each)}</{name}>" for each in value)
    if kind == "map":
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{_write(model, shape['value']['shape'], each)}</value></entry>"
            for key, each in value.items()
        )
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value))
