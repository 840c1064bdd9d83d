"""What is done with each member of a request that has many, and the refusal of those nobody has thought of.

Requests are checked by the service model that is installed. When a newer one brings new members, they are refused here
until the tables say what is done with them: no member is ever silently ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, cast

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
    return tuple(_tables(operation)[0].values())


def unknown_member_violations(operation: str, request: Place) -> Iterator[Violation]:
    """The members of a request that no table names."""
    yield from _unknown(_tables(operation), request, "")


def _unknown(tables: "_Tables", place: Place, path: str) -> Iterator[Violation]:
    lines, inner = tables
    for name in place.value:
        below = f"{path}.{name}" if path else name
        if below in lines:
            continue
        member = place.member(name)
        if below not in inner:
            yield member.unsupported("this version does not know what to do with it; leave it out")
        elif isinstance(member.value, Mapping):
            yield from _unknown(tables, member, below)
        else:
            for element in member.elements():
                yield from _unknown(tables, element, below)


_Tables = tuple[Mapping[str, Member], frozenset[str]]


@cache
def _tables(operation: str) -> _Tables:
    """The lines by path, and every path that leads to one."""
    sources, lines = _SOURCES[operation], {}
    for line in "\n".join(sources.tables).splitlines():
        if line:
            written, treatment, note = [*line.split(maxsplit=2), ""][:3]
            short, _, rest = written.partition(".")
            path = f"{sources.prefixes[short]}{rest}" if short in sources.prefixes else written
            lines[path] = Member(path=path, treatment=cast(Treatment, treatment), note=note)
    inner = frozenset(path[:at] for path in lines for at, letter in enumerate(path) if letter == ".")
    return lines, inner
