"""What a check writes into while it walks through a request."""

from typing import Any

from sagestone.shapes.java_text import quoted
from sagestone.shapes.service_model import ServiceModel
from sagestone.shapes.violation import Violation, WrongType

#: A check gives up after this many violations: the request is refused anyway.
MOST_VIOLATIONS = 500

#: Where the walk is: None at the request, else (where it came from, member name | number of the list element).
Path = tuple[Any, str | int] | None


class Enough(Exception):
    """The request is refused and looking further would cost more than it tells."""


class Report:
    """The violations of one request so far."""

    __slots__ = ("model", "violations")

    def __init__(self, model: ServiceModel) -> None:
        self.model = model
        self.violations: list[Violation] = []

    def broken(self, path: Path, shape_name: str, value: Any, constraint: str) -> None:
        """A value breaks a constraint; raises Enough when there are very many."""
        hidden = self.model.shapes[shape_name].get("sensitive")
        self._add(path, "" if hidden else quoted(self.model, shape_name, value), constraint)

    def missing(self, path: Path) -> None:
        """A required member or an element is null."""
        self._add(path, "null", "Member must not be null")

    def _add(self, path: Path, value: str, constraint: str) -> None:
        self.violations.append(Violation(path=written(path), value=value, constraint=constraint))
        if len(self.violations) >= MOST_VIOLATIONS:
            raise Enough


def written(path: Path) -> str:
    """`productionVariants.1.member.instanceType`."""
    pieces: list[str] = []
    while path is not None:
        path, piece = path
        pieces.append(f"{piece}.member" if isinstance(piece, int) else piece[:256])
    return ".".join(reversed(pieces))


def wrong_type(path: Path, value: Any, wanted: str) -> WrongType:
    """The refusal of a JSON value of the wrong type, with the place added to AWS's words. `wanted`: a Java class with
    its article (`an String`), or `structure`, `map`, `list`."""
    place = f" (at '{written(path)}')" if path is not None else ""
    if isinstance(value, dict):
        return WrongType(f"Start of structure or map found where not expected{place}")
    if isinstance(value, list):
        return WrongType(f"Start of list found where not expected{place}")
    if wanted in ("structure", "map", "list"):
        return WrongType(f"Unexpected value type in payload: a {wanted} is expected{place}")
    kind = _JAVA_CLASSES.get(type(value), "java.lang.Object")
    return WrongType(f"class {kind} can not be converted to {wanted}{place}")


_JAVA_CLASSES = {
    bool: "java.lang.Boolean",
    str: "java.lang.String",
    int: "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
    float: "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
    type(None): "null",
}
