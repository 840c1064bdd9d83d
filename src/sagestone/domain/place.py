"""The places of a request: a value with its path, so that a rule can say where it is broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagestone.shapes.violation import Violation


@dataclass(frozen=True, slots=True)
class Place:
    """A value inside a request, with its path in the style of AWS: `trainingChannels.1.member.name`.

    `value` is None where the request left the member out; members of an absent structure are absent too.
    """

    value: Any
    path: str = ""

    def member(self, name: str) -> "Place":
        """The member of a structure; its first letter is lower case in the path."""
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        step = name[:1].lower() + name[1:]
        return Place(value, f"{self.path}.{step}" if self.path else step)

    def at(self, *names: str) -> "Place":
        """The member of a member of a member."""
        place = self
        for name in names:
            place = place.member(name)
        return place

    def elements(self) -> Iterator["Place"]:
        """The elements of a list, counted from 1 in the path; none where the list is absent."""
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            for number, value in enumerate(self.value, start=1):
                yield Place(value, f"{self.path}.{number}.member")

    def entries(self) -> Iterator[tuple[str, "Place"]]:
        """The keys of a map with their values; none where the map is absent."""
        if isinstance(self.value, Mapping):
            for key, value in self.value.items():
                yield key, Place(value, f"{self.path}.{key}.member")

    def __bool__(self) -> bool:
        """Whether something is there: absent, empty text, an empty list and an empty structure say the same."""
        return self.value is not None and self.value not in ("", [], {})

    def breaks(self, rule: str) -> Violation:
        """The violation of `rule` (a clause such as "Member must be one of …") by this value."""
        if self.value is None:
            shown = "null"
        elif isinstance(self.value, bool):
            shown = f"'{str(self.value).lower()}'"
        else:
            shown = f"'{self.value}'" if isinstance(self.value, str | int | float) else ""
        return Violation(path=self.path, value=shown, constraint=rule)

    def unsupported(self, reason: str) -> Violation:
        """The violation for a member that this service does not honour yet, and therefore refuses."""
        return self.breaks(f"Member is not supported yet: {reason}")


def repeated(places: Iterator[Place], noun: str) -> Iterator[Violation]:
    """A violation for each place whose value stood in an earlier one."""
    first: dict[Any, Place] = {}
    for place in places:
        if place.value is None:
            continue
        if place.value in first:
            yield place.breaks(f"Member must be unique: {first[place.value].path} is the same {noun}")
        else:
            first[place.value] = place
