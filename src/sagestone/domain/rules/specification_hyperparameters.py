"""Rules of TrainingSpecification.SupportedHyperParameters that the service model cannot say."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.domain.hyperparameters import RANGE_OF, number, objection, phrase
from sagestone.domain.place import Place, repeated_members
from sagestone.shapes.violation import Violation

_RANGES = frozenset(RANGE_OF.values())


def hyperparameter_violations(training: Place) -> Iterator[Violation]:
    """Names are unique; a range fits its type, can be read and is not empty; a default is a value of it.

    A default together with IsRequired, a missing range, and an empty one are accepted, as the service accepts them.
    """
    declared = training.member("SupportedHyperParameters")
    yield from repeated_members(declared, "Name", "hyperparameter name")
    for item in declared.elements():
        broken = [] if _has_sound_range(item.value) else list(_range_violations(item))
        yield from broken
        default = item.member("DefaultValue")
        if default.value is not None and not broken:
            reason = objection(item.value, default.value)
            if reason is not None:
                yield default.breaks(reason)


def _has_sound_range(item: Mapping[str, Any]) -> bool:
    """Whether `_range_violations` would find nothing: told without places, for nearly all are sound."""
    kind, ranges = item["Type"], item.get("Range")
    if not ranges:
        return True
    given = [name for name, value in ranges.items() if value is not None and name in _RANGES]
    if given != [RANGE_OF.get(kind)]:
        return not given
    if kind == "Categorical":
        return True
    low, high = number(kind, ranges[given[0]]["MinValue"]), number(kind, ranges[given[0]]["MaxValue"])
    return low is not None and high is not None and low <= high


def _range_violations(item: Place) -> Iterator[Violation]:
    kind = item.value["Type"]
    declared = item.member("Range")
    if not declared:
        return
    given = [(name, declared.member(name)) for name in RANGE_OF.values() if declared.value.get(name) is not None]
    for name, place in given:
        if RANGE_OF.get(kind) != name:
            allowed = f"the range of type {kind} is {RANGE_OF[kind]}" if kind in RANGE_OF else f"{kind} has no range"
            yield place.breaks(f"Member must match the type of hyperparameter {item.value['Name']}: {allowed}")
        elif kind in ("Integer", "Continuous"):
            yield from _bound_violations(kind, place)


def _bound_violations(kind: str, place: Place) -> Iterator[Violation]:
    low, high = place.member("MinValue"), place.member("MaxValue")
    unreadable = [bound for bound in (low, high) if number(kind, bound.value) is None]
    for bound in unreadable:
        yield bound.breaks(f"Member must be {phrase(kind)}: it bounds a hyperparameter of type {kind}")
    if unreadable:
        return
    smallest, largest = number(kind, low.value), number(kind, high.value)
    if smallest is not None and largest is not None and smallest > largest:
        yield low.breaks(f"Member must not be greater than MaxValue, which is {high.value}")


def value_violations(training: Place, values: Place) -> Iterator[Violation]:
    """What a job's HyperParameters break: each is declared, fits its type and range, and none that is required lacks.

    A specification that declares no hyperparameters leaves them free.
    """
    declared = {item.value["Name"]: item.value for item in training.member("SupportedHyperParameters").elements()}
    if not declared:
        return
    for name, place in values.entries():
        if name not in declared:
            yield place.breaks(f"Member must be a hyperparameter of the specification: [{', '.join(declared)}]")
            continue
        if _readable(declared[name]):
            reason = objection(declared[name], place.value)
            if reason is not None:
                yield place.breaks(reason)
    for name, specification in declared.items():
        missing = name not in (values.value or {}) and specification.get("DefaultValue") is None
        if specification.get("IsRequired") and missing:
            yield values.entry(name).lacks(
                f"Member must not be null: hyperparameter {name} is required and has no default value"
            )


def _readable(specification: Mapping[str, Any]) -> bool:
    """Whether the declaration itself is sound; a value is not measured against a broken one."""
    return not any(_range_violations(Place(specification)))
