"""What is done with each member of a CreateAlgorithm request, and the refusal of those nobody has thought of.

Requests are checked by the service model that is installed. When a newer one brings new members, they are refused here
until the tables say what is done with them: no member is ever silently ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, cast

from sagestone.domain import members_profile, members_specification
from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation

#: The abbreviations of the tables.
PREFIXES: Final[Mapping[str, str]] = {
    "*S": "TrainingSpecification",
    "*H": "TrainingSpecification.SupportedHyperParameters",
    "*I": "InferenceSpecification",
    "*C": "InferenceSpecification.Containers",
    "*T": "ValidationSpecification.ValidationProfiles.TrainingJobDefinition",
    "*D": "ValidationSpecification.ValidationProfiles.TrainingJobDefinition.InputDataConfig",
    "*X": "ValidationSpecification.ValidationProfiles.TransformJobDefinition",
}

Treatment = Literal["honoured", "recorded", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One line of a table: `path` without the numbers of lists; a structure's line speaks for all of its members."""

    path: str
    treatment: Treatment
    note: str


def create_algorithm_members() -> tuple[Member, ...]:
    """The lines of the tables, in their order."""
    return tuple(_tables()[0].values())


def unknown_member_violations(request: Place) -> Iterator[Violation]:
    """The members of a request that no table names."""
    yield from _unknown(request, "")


def _unknown(place: Place, path: str) -> Iterator[Violation]:
    lines, inner = _tables()
    for name in place.value:
        below = f"{path}.{name}" if path else name
        if below in lines:
            continue
        member = place.member(name)
        if below not in inner:
            yield member.unsupported("this version does not know what to do with it; leave it out")
        elif isinstance(member.value, Mapping):
            yield from _unknown(member, below)
        else:
            for element in member.elements():
                yield from _unknown(element, below)


@lru_cache(maxsize=1)
def _tables() -> tuple[Mapping[str, Member], frozenset[str]]:
    """The lines by path, and every path that leads to one."""
    lines = {}
    for line in f"{members_specification.TABLE}\n{members_profile.TABLE}".splitlines():
        if line:
            written, treatment, note = [*line.split(maxsplit=2), ""][:3]
            path = f"{PREFIXES.get(written[:2], written[:2])}{written[2:]}"
            lines[path] = Member(path=path, treatment=cast(Treatment, treatment), note=note)
    inner = frozenset(path[:at] for path in lines for at, letter in enumerate(path) if letter == ".")
    return lines, inner
