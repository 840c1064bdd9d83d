"""Scalar shapes compiled to closures: how a JSON value is read, and which constraints it breaks."""

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagestone.shapes.pattern import SHORT, TooSlow, full_match, quick_match
from sagestone.shapes.report import Path, wrong_type
from sagestone.shapes.service_model import ShapeFacts

#: Longer texts that are too long anyway are not matched against their pattern.
LONGEST_MATCHED = 65536

_EARLIEST, _LATEST = -62135596800.0, 253402300799.999  # the years 1 to 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarCheck:
    """`read` gives the clean value or raises WrongType. `broken` gives the constraints that a clean value breaks, in
    AWS's words (None: the shape has none), or raises TooSlow with the one that took too long. `constraints` are all of
    them, as they are told about a list's elements. `passes`: a quick way to see of most texts that they break none;
    False says nothing, and None: there is no such way."""

    read: Callable[[Any, Path], Any]
    broken: Callable[[Any], tuple[str, ...]] | None
    constraints: tuple[str, ...]
    passes: Callable[[str], bool] | None = None


def compile_scalar(shape: ShapeFacts) -> ScalarCheck:
    """The check of a string, number, boolean, timestamp or blob."""
    kind = shape["type"]
    if kind == "string":
        broken, constraints = _string_constraints(shape)
        return ScalarCheck(read=_read_string, broken=broken, constraints=constraints, passes=_passes(shape))
    broken, constraints = _number_constraints(shape)
    return ScalarCheck(read=_READERS[kind], broken=broken, constraints=constraints)


def length_constraint(value_length: int, lowest: int | None, highest: int | None) -> str | None:
    """The length constraint that is broken: of a string, a list or a map."""
    if highest is not None and value_length > highest:
        return f"Member must have length less than or equal to {highest}"
    if lowest is not None and value_length < lowest:
        return f"Member must have length greater than or equal to {lowest}"
    return None


def _passes(shape: ShapeFacts) -> Callable[[str], bool] | None:
    if "enum" in shape:
        return frozenset(shape["enum"]).__contains__
    shortest, longest = shape.get("min") or 0, min(shape.get("max", SHORT), SHORT)
    if "pattern" not in shape:
        return lambda text: shortest <= len(text) <= longest
    matches = quick_match(shape["pattern"])
    return None if matches is None else lambda text: shortest <= len(text) <= longest and matches(text)


def _string_constraints(shape: ShapeFacts) -> tuple[Callable[[str], tuple[str, ...]] | None, tuple[str, ...]]:
    lowest, highest, pattern = shape.get("min"), shape.get("max"), shape.get("pattern")
    if "enum" in shape:
        allowed = frozenset(shape["enum"])
        told = (f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]",)
        return (lambda text: () if text in allowed else told), told
    told_pattern = f"Member must satisfy regular expression pattern: {pattern}"
    constraints = [
        *([f"Member must have length less than or equal to {highest}"] if highest is not None else []),
        *([f"Member must have length greater than or equal to {lowest}"] if lowest is not None else []),
        *([told_pattern] if pattern is not None else []),
    ]
    if not constraints:
        return None, ()
    fits = full_match(pattern) if pattern is not None else None
    shortest, longest = lowest or 0, math.inf if highest is None else highest

    def broken(text: str) -> tuple[str, ...]:
        if shortest <= len(text) <= longest:
            too = None
        else:
            too = length_constraint(len(text), lowest, highest)
            if fits is None or len(text) > LONGEST_MATCHED:
                return (too,) if too else ()
        try:
            matched = fits is None or fits(text)
        except TooSlow:
            raise TooSlow(told_pattern) from None
        if matched and too is None:
            return ()
        return (*((too,) if too else ()), *(() if matched else (told_pattern,)))

    return broken, tuple(constraints)


def _number_constraints(shape: ShapeFacts) -> tuple[Callable[[Any], tuple[str, ...]] | None, tuple[str, ...]]:
    lowest, highest = shape.get("min"), shape.get("max")
    if (lowest is None and highest is None) or shape["type"] == "blob":
        return None, ()
    told_highest = f"Member must have value less than or equal to {highest}"
    told_lowest = f"Member must have value greater than or equal to {lowest}"

    def broken(number: float) -> tuple[str, ...]:
        if highest is not None and not number <= highest:
            return (told_highest,)
        if lowest is not None and not number >= lowest:
            return (told_lowest,)
        return ()

    constraints = (*((told_highest,) if highest is not None else ()), *((told_lowest,) if lowest is not None else ()))
    return broken, constraints


def _read_string(value: Any, path: Path) -> str:
    if type(value) is not str:
        raise wrong_type(path, value, "an String")
    return value


def _read_boolean(value: Any, path: Path) -> bool:
    if value is not True and value is not False:
        raise wrong_type(path, value, "an Boolean")
    return value


def _whole_number(bits: int, java_name: str) -> Callable[[Any, Path], int]:
    bound = 1 << (bits - 1)

    def read(value: Any, path: Path) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -bound <= value < bound:
            raise wrong_type(path, value, f"an {java_name}")
        return value

    return read


def _real_number(java_name: str) -> Callable[[Any, Path], float]:
    def read(value: Any, path: Path) -> float:
        if value in ("NaN", "Infinity", "-Infinity") and type(value) is str:
            return float(value)
        if type(value) is not float and type(value) is not int:
            raise wrong_type(path, value, f"an {java_name}")
        return float(value)

    return read


def _read_timestamp(value: Any, path: Path) -> float:
    """Epoch seconds from a number or an ISO 8601 text; a text without a zone is UTC."""
    seconds: float | None = None
    if type(value) is int or type(value) is float:
        seconds = float(value)
    elif type(value) is str and len(value) < 64:
        try:
            when = datetime.fromisoformat(value)
            seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            seconds = None
    if seconds is None or not _EARLIEST <= seconds <= _LATEST:
        raise wrong_type(path, value, "an Date")
    return seconds


def _read_blob(value: Any, path: Path) -> bytes:
    if type(value) is not str:
        raise wrong_type(path, value, "an Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise wrong_type(path, value, "an Blob") from None


_READERS: dict[str, Callable[[Any, Path], Any]] = {
    "boolean": _read_boolean,
    "integer": _whole_number(32, "Integer"),
    "long": _whole_number(64, "Long"),
    "float": _real_number("Float"),
    "double": _real_number("Double"),
    "timestamp": _read_timestamp,
    "blob": _read_blob,
}
