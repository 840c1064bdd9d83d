"""Structures, lists and maps of the service model compiled to closures that walk a request once.

A closure gives the clean value (unknown members and nulls are gone, times are epoch seconds) and writes every broken
constraint into the report. Compiled shapes are kept by name, so a shape that contains itself is no trouble.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sagestone.shapes.java_text import member_path_name
from sagestone.shapes.pattern import TooSlow
from sagestone.shapes.report import Path, Report, wrong_type
from sagestone.shapes.scalars import ScalarCheck, compile_scalar, length_constraint
from sagestone.shapes.service_model import ServiceModel, ShapeFacts

_ONLY_TEXTS = frozenset([str])

Check = Callable[[Any, Path, Report], Any]


class Compiler:
    """Compiles the shapes of one service model, each when it is first wanted. Used by one thread at a time."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._checks: dict[str, Check] = {}
        self._scalars: dict[str, ScalarCheck] = {}

    def check_of(self, shape_name: str) -> Check:
        """The closure of a shape."""
        if shape_name in self._checks:
            return self._checks[shape_name]
        # Until it is compiled, whoever needs it (a shape inside itself) looks it up at the call.
        self._checks[shape_name] = lambda value, path, report: self._checks[shape_name](value, path, report)
        shape = self._model.shapes[shape_name]
        if shape["type"] == "structure":
            made = _structure(self, shape)
        elif shape["type"] == "list":
            made = _list(self, shape_name, shape)
        elif shape["type"] == "map":
            made = _map(self, shape_name, shape)
        else:
            made = _scalar(shape_name, self.scalar_of(shape_name))
        self._checks[shape_name] = made
        return made

    def is_scalar(self, shape_name: str) -> bool:
        return self._model.shapes[shape_name]["type"] not in ("structure", "list", "map")

    def scalar_of(self, shape_name: str) -> ScalarCheck:
        """The reader and constraints of a scalar shape."""
        if shape_name not in self._scalars:
            self._scalars[shape_name] = compile_scalar(self._model.shapes[shape_name])
        return self._scalars[shape_name]


def _scalar(shape_name: str, scalar: ScalarCheck) -> Check:
    read, broken = scalar.read, scalar.broken
    if broken is None:
        return lambda value, path, report: read(value, path)

    def check(value: Any, path: Path, report: Report) -> Any:
        clean = read(value, path)
        try:
            for constraint in broken(clean):
                report.broken(path, shape_name, clean, constraint)
        except TooSlow as slow:
            report.broken(path, shape_name, clean, str(slow))
            raise
        return clean

    return check


def _structure(compiler: Compiler, shape: ShapeFacts) -> Check:
    if shape.get("document"):
        return lambda value, path, report: value
    members = {
        name: (
            compiler.scalar_of(facts["shape"]).passes if compiler.is_scalar(facts["shape"]) else None,
            compiler.check_of(facts["shape"]),
            member_path_name(name),
        )
        for name, facts in shape["members"].items()
    }
    required = tuple((name, member_path_name(name)) for name in shape.get("required", ()))

    def check(value: Any, path: Path, report: Report) -> Any:
        if type(value) is not dict:
            raise wrong_type(path, value, "structure")
        clean: dict[str, Any] = {}
        for name, item in value.items():
            if item is not None and name in members:
                passes, check_member, path_name = members[name]
                if passes is not None and type(item) is str and passes(item):
                    clean[name] = item
                else:
                    clean[name] = check_member(item, (path, path_name), report)
        for name, path_name in required:
            if name not in clean:
                report.missing((path, path_name))
        return clean

    return check


def _list(compiler: Compiler, shape_name: str, shape: ShapeFacts) -> Check:
    lowest, highest, element = shape.get("min"), shape.get("max"), shape["member"]["shape"]
    check_elements = (
        _scalar_elements(compiler.scalar_of(element), shape_name)
        if compiler.is_scalar(element)
        else _elements(compiler.check_of(element))
    )

    def check(value: Any, path: Path, report: Report) -> Any:
        if type(value) is not list:
            raise wrong_type(path, value, "list")
        too = length_constraint(len(value), lowest, highest)
        clean = check_elements(value, path, report)
        if too:
            report.broken(path, shape_name, clean, too)
        return clean

    return check


def _elements(check_element: Check) -> Check:
    def check(value: list[Any], path: Path, report: Report) -> Any:
        clean = []
        for number, item in enumerate(value, 1):
            if item is None:
                report.missing((path, number))
            else:
                clean.append(check_element(item, (path, number), report))
        return clean

    return check


def _scalar_elements(scalar: ScalarCheck, shape_name: str) -> Check:
    """A scalar element has no path of its own: the list is told, with all constraints of its elements."""
    read, broken, passes = scalar.read, scalar.broken, scalar.passes
    told = f"Member must satisfy constraint: [{', '.join(scalar.constraints)}]"
    told_null = f"Member must satisfy constraint: [{', '.join((*scalar.constraints, 'Member must not be null'))}]"

    def check(value: list[Any], path: Path, report: Report) -> Any:
        if passes is not None and _ONLY_TEXTS.issuperset(map(type, value)) and all(map(passes, value)):
            return value
        clean = [read(item, (path, number)) for number, item in enumerate(value, 1) if item is not None]
        if len(clean) < len(value):
            report.broken(path, shape_name, value, told_null)
            return clean
        if broken is not None:
            _tell_once(broken, clean, lambda: report.broken(path, shape_name, clean, told))
        return clean

    return check


def _map(compiler: Compiler, shape_name: str, shape: ShapeFacts) -> Check:
    lowest, highest = shape.get("min"), shape.get("max")
    keys = compiler.scalar_of(shape["key"]["shape"])
    value_shape = shape["value"]["shape"]
    values = compiler.scalar_of(value_shape) if compiler.is_scalar(value_shape) else None
    check_value = compiler.check_of(value_shape) if values is None else _reader(values)
    told_of_items = [
        (scalar.broken, items, f"{which} must satisfy constraint: [{', '.join(scalar.constraints)}]")
        for which, scalar, items in (("Map keys", keys, dict.keys), ("Map value", values, dict.values))
        if scalar is not None and scalar.broken is not None
    ]

    def check(value: Any, path: Path, report: Report) -> Any:
        if type(value) is not dict:
            raise wrong_type(path, value, "map")
        clean = {
            key: check_value(item, (path, f"{key[:256]}.member"), report)
            for key, item in value.items()
            if item is not None
        }
        too = length_constraint(len(clean), lowest, highest)
        if too:
            report.broken(path, shape_name, clean, too)
        for broken, items, constraint in told_of_items:
            _tell_once(broken, items(clean), partial(report.broken, path, shape_name, clean, constraint))
        return clean

    return check


def _reader(scalar: ScalarCheck) -> Check:
    read = scalar.read
    return lambda value, path, report: read(value, path)


def _tell_once(broken: Callable[[Any], tuple[str, ...]], items: Iterable[Any], tell: Callable[[], None]) -> None:
    """Tell when any item breaks a constraint; one whose pattern takes too long does, and ends the check."""
    try:
        if not any(broken(item) for item in items):
            return
    except TooSlow:
        tell()
        raise
    tell()
