"""Whether a resource satisfies a SearchExpression (shapes SearchExpression, NestedFilters, Filter).

A property is a path of members, `ModelArtifacts.S3ModelArtifacts`; what lies in a list counts for each of its elements.
The rest of a path may be a key of a map, dots included: `HyperParameters.learning.rate`, `Metrics.validation:loss`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

Members = Mapping[str, Any]

#: How a value compares with that of a filter, for numbers and times; text knows only whether it is the same.
_ORDERED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThan": lambda one, other: one > other,
    "GreaterThanOrEqualTo": lambda one, other: one >= other,
    "LessThan": lambda one, other: one < other,
    "LessThanOrEqualTo": lambda one, other: one <= other,
}
_TIMES: Final = ("Time", "Timestamp")


class BadFilter(Exception):
    """A filter compares what cannot be compared; the text says which and why."""


def satisfies(document: Members, expression: Members) -> bool:
    """Whether all conditions of the expression hold, or with Operator Or one of them; raises BadFilter."""
    conditions = [
        *(_holds(document, each) for each in expression.get("Filters") or ()),
        *(_holds_nested(document, each) for each in expression.get("NestedFilters") or ()),
        *(satisfies(document, each) for each in expression.get("SubExpressions") or ()),
    ]
    return any(conditions) if expression.get("Operator") == "Or" else all(conditions)


def values_of(document: Any, path: str) -> Iterator[Any]:
    """Every value that the property has, in order."""
    if isinstance(document, list):
        for element in document:
            yield from values_of(element, path)
    elif not path:
        yield document
    elif isinstance(document, Mapping):
        parts = path.split(".")
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            if name in document:
                yield from values_of(document[name], ".".join(parts[count:]))
                return


def _holds_nested(document: Members, nested: Members) -> bool:
    """Whether one element of the list satisfies all the filters, whose names begin with that of the list."""
    prefix = f"{nested['NestedPropertyName']}."
    filters = [{**each, "Name": each["Name"].removeprefix(prefix)} for each in nested["Filters"]]
    elements = values_of(document, nested["NestedPropertyName"])
    return any(all(_holds(element, each) for each in filters) for element in elements if isinstance(element, Mapping))


def _holds(document: Members, given: Members) -> bool:
    name, operator = given["Name"], given.get("Operator") or "Equals"
    found = [value for value in values_of(document, name) if value is not None]
    if operator in ("Exists", "NotExists"):
        return bool(found) == (operator == "Exists")
    if operator == "NotEquals":
        return not any(_compares(value, "Equals", given) for value in found)
    return any(_compares(value, operator, given) for value in found)


def _compares(value: Any, operator: str, given: Members) -> bool:
    name, wanted = given["Name"], given["Value"]
    if isinstance(value, bool):
        value = "true" if value else "false"
        wanted = wanted.lower()
    if isinstance(value, int | float):
        number = _time(name, wanted) if name.endswith(_TIMES) else _number(name, wanted)
        if operator == "Equals":
            return bool(value == number)
        if operator in _ORDERED:
            return _ORDERED[operator](value, number)
        raise BadFilter(f"{operator} is supported for text properties only, and {name} is none")
    if not isinstance(value, str):
        raise BadFilter(f"{name} is not one value: name one of its members")
    if operator in _ORDERED:
        return _ordered_text(value, operator, name, wanted)
    if operator == "Contains":
        return wanted in value
    if operator == "In":
        return value in [each.strip() for each in wanted.split(",")]
    return value == wanted or (name.startswith("HyperParameters.") and _same_number(value, wanted))


def _ordered_text(value: str, operator: str, name: str, wanted: str) -> bool:
    """Hyperparameters are text that is compared as numbers: as whole ones where the filter's value is one."""
    if not name.startswith("HyperParameters."):
        raise BadFilter(f"{operator} is not supported for text properties, and {name} is one")
    number, limit = _as_number(value), _number(name, wanted)
    if number is None:
        return False
    return _ORDERED[operator](float(int(number)) if _is_whole(wanted) else number, limit)


def _same_number(value: str, wanted: str) -> bool:
    one, other = _as_number(value), _as_number(wanted)
    if one is None or other is None:
        return False
    return (float(int(one)) if _is_whole(wanted) else one) == other


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdecimal()


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None


def _number(name: str, wanted: str) -> float:
    number = _as_number(wanted)
    if number is None:
        raise BadFilter(f"{name} is a number, and {wanted!r} is none")
    return number


def _time(name: str, wanted: str) -> float:
    try:
        moment = datetime.fromisoformat(wanted.strip())
    except ValueError:
        raise BadFilter(f"{name} is a time, and {wanted!r} is none in the form YYYY-mm-ddTHH:MM:SS") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
