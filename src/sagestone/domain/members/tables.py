"""What is done with each member of a request that has many, and the refusal of those nobody has thought of.

Requests are checked by the service model that is installed. When a newer one brings new members, they are refused here
until the tables say what is done with them: no member is ever silently ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from sagestone.domain.members import model, package, profile, specification, training, transform
from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation

Treatment = Literal["honoured", "recorded", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One line of a table: `path` without the numbers of lists; a structure's line speaks for all of its members."""

    path: str
    treatment: Treatment
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """The tables of one operation, and what the abbreviations at the start of their paths mean. A later line counts."""

    tables: tuple[str, ...]
    prefixes: Mapping[str, str]


_PROFILE: Final = "ValidationSpecification.ValidationProfiles"
_SOURCES: Final[Mapping[str, _Sources]] = {
    "CreateAlgorithm": _Sources(
        tables=(
            specification.TABLE,
            profile.TABLE,
            profile.DEFINITION,
            transform.DEFINITION,
        ),
        prefixes={
            "*S": "TrainingSpecification.",
            "*H": "TrainingSpecification.SupportedHyperParameters.",
            "*I": "InferenceSpecification.",
            "*C": "InferenceSpecification.Containers.",
            "*T": f"{_PROFILE}.TrainingJobDefinition.",
            "*D": f"{_PROFILE}.TrainingJobDefinition.InputDataConfig.",
            "*X": f"{_PROFILE}.TransformJobDefinition.",
        },
    ),
    "CreateTrainingJob": _Sources(
        tables=(profile.DEFINITION, training.TABLE),
        prefixes={"*T": "", "*D": "InputDataConfig.", "*A": "AlgorithmSpecification."},
    ),
    "CreateTransformJob": _Sources(tables=(transform.TABLE, transform.DEFINITION), prefixes={"*X": ""}),
    "CreateModelPackage": _Sources(
        tables=(package.CREATE, transform.DEFINITION),
        prefixes={
            "*I": "InferenceSpecification.",
            "*C": "InferenceSpecification.Containers.",
            "*A": "AdditionalInferenceSpecifications.",
            "*X": f"{_PROFILE}.TransformJobDefinition.",
        },
    ),
    "UpdateModelPackage": _Sources(
        tables=(package.UPDATE,),
        prefixes={
            "*I": "InferenceSpecification.",
            "*C": "InferenceSpecification.Containers.",
            "*A": "AdditionalInferenceSpecificationsToAdd.",
        },
    ),
    "CreateModel": _Sources(tables=(model.TABLE,), prefixes={"*P": "PrimaryContainer.", "*C": "Containers."}),
}

#: The operations that have such tables.
TABLED: Final = tuple(_SOURCES)


def request_members(operation: str) -> tuple[Member, ...]:
    """The lines of the operation's tables, in their order."""
    return tuple(_lines(operation).values())


def unknown_member_violations(operation: str, request: Place) -> Iterator[Violation]:
    """The members of a request that no table names."""
    known = _known(operation)
    if not _knows(known, request.value):  # the places are made only for those who have something to tell
        yield from _unknown(known, request)


def _knows(known: "_Known", value: Mapping[str, Any]) -> bool:
    """Whether no member is unknown, as quickly as can be: nearly all requests are such."""
    for name, below in value.items():
        if name not in known:
            return False
        inner = known[name]
        if inner is not None:
            for element in below if type(below) is list else (below,):
                if isinstance(element, Mapping) and not _knows(inner, element):
                    return False
    return True


def _unknown(known: "_Known", place: Place) -> Iterator[Violation]:
    for name in place.value:
        member, inner = place.member(name), known.get(name)
        if name not in known:
            yield member.unsupported("this version does not know what to do with it; leave it out")
        elif inner is not None:
            for element in (member,) if isinstance(member.value, Mapping) else member.elements():
                yield from _unknown(inner, element)


#: The members of a structure: those that have lines of their own below them, and None for one that a line speaks for.
_Known = Mapping[str, "_Known | None"]


@cache
def _known(operation: str) -> _Known:
    """The operation's lines as a tree."""
    tree: dict[str, Any] = {}
    lines = _lines(operation)
    for path in sorted(lines, key=len):
        *above, name = path.split(".")
        known: dict[str, Any] | None = tree
        for step in above:
            known = None if known is None else known.setdefault(step, {})
        if known is not None:
            known[name] = None
    return tree


@cache
def _lines(operation: str) -> Mapping[str, Member]:
    """The lines by path."""
    sources, lines = _SOURCES[operation], {}
    for line in "\n".join(sources.tables).splitlines():
        if line:
            written, treatment, note = [*line.split(maxsplit=2), ""][:3]
            short, _, rest = written.partition(".")
            path = f"{sources.prefixes[short]}{rest}" if short in sources.prefixes else written
            lines[path] = Member(path=path, treatment=cast(Treatment, treatment), note=note)
    return lines
