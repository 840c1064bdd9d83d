"""Hyperparameter values and the ranges that a specification declares for them.

Values and bounds are text, as the API sends them; bounds are inclusive on both sides.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

RangeKind = Literal[
    "IntegerParameterRangeSpecification",
    "ContinuousParameterRangeSpecification",
    "CategoricalParameterRangeSpecification",
]

#: Which range a type of hyperparameter may have; FreeText has none.
RANGE_OF: dict[str, RangeKind] = {
    "Integer": "IntegerParameterRangeSpecification",
    "Continuous": "ContinuousParameterRangeSpecification",
    "Categorical": "CategoricalParameterRangeSpecification",
}

DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
INTEGER = re.compile(r"[+-]?[0-9]{1,309}")


def objection(specification: Mapping[str, Any], value: str) -> str | None:
    """Why `value` is none for this hyperparameter (shape HyperParameterSpecification); None: it is fine."""
    kind = specification["Type"]
    if kind in ("Integer", "Continuous") and number(kind, value) is None:
        return f"Member must be {phrase(kind)}: hyperparameter {specification['Name']} is of type {kind}"
    declared = range_of(specification)
    if declared is None:
        return None
    if kind == "Categorical":
        values: Sequence[str] = declared["Values"]
        if value in values:
            return None
        return f"Member must be one of the values of hyperparameter {specification['Name']}: [{', '.join(values)}]"
    return _outside(specification["Name"], kind, declared, value)


def merged(specifications: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, str]:
    """What the container reads: the values given, and the declared default of every other hyperparameter."""
    defaults = {item["Name"]: item["DefaultValue"] for item in specifications if "DefaultValue" in item}
    return defaults | dict(given)


def range_of(specification: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The range that counts for the hyperparameter's type; None where it has none."""
    kind = RANGE_OF.get(specification["Type"])
    declared: Mapping[str, Any] | None = (specification.get("Range") or {}).get(kind) if kind else None
    return declared


def number(kind: str, text: str) -> int | float | None:
    """The value of an Integer or Continuous hyperparameter or bound; None where it is no finite number of that type."""
    if kind == "Integer":
        return int(text) if INTEGER.fullmatch(text) else None
    value = float(text) if DECIMAL.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def phrase(kind: str) -> str:
    """What a number of that type is called in a message."""
    return "a whole number" if kind == "Integer" else "a finite decimal number"


def _outside(name: str, kind: str, declared: Mapping[str, Any], value: str) -> str | None:
    shown, low, high = number(kind, value), number(kind, declared["MinValue"]), number(kind, declared["MaxValue"])
    if shown is None or low is None or high is None or low <= shown <= high:
        return None
    return f"Member must lie in the range of hyperparameter {name}: {declared['MinValue']} to {declared['MaxValue']}"
