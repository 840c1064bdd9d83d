"""The places of a request: a value with its path, so that a rule can say where it is broken."""

from collections.abc import Iterator
from typing import Any

from sagestone.shapes.violation import Violation


class Place:
    """A value inside a request, with its path in the style of AWS: `trainingChannels.1.member.name`.

    `value` is None where the request left the member out; members of an absent structure are absent too. Values are as
    JSON gives them (dict, list, str …). The path is written only when it is asked for: most places break no rule.
    """

    __slots__ = ("_above", "_step", "value")

    def __init__(self, value: Any, above: "Place | None" = None, step: "_Step | None" = None) -> None:
        self.value = value
        self._above = above
        self._step = step

    @property
    def path(self) -> str:
        """Where the value stands, from the request down; first letters of members are lower case."""
        steps: list[str] = []
        place: Place | None = self
        while place is not None:
            if place._step is not None:
                steps.append(_written(place._step))
            place = place._above
        return ".".join(reversed(steps))

    def member(self, name: str) -> "Place":
        """The member of a structure."""
        value = self.value
        return Place(value.get(name) if isinstance(value, dict) else None, self, name)

    def at(self, *names: str) -> "Place":
        """The member of a member of a member."""
        place = self
        for name in names:
            place = place.member(name)
        return place

    def elements(self) -> Iterator["Place"]:
        """The elements of a list, counted from 1 in the path; none where the list is absent."""
        if isinstance(self.value, list):
            for number, value in enumerate(self.value, start=1):
                yield Place(value, self, number)

    def entries(self) -> Iterator[tuple[str, "Place"]]:
        """The keys of a map with their values; none where the map is absent."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield key, self.entry(key)

    def entry(self, key: str) -> "Place":
        """The value of a key of a map, absent or not."""
        return Place((self.value or {}).get(key), self, (key,))

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

    def lacks(self, rule: str) -> Violation:
        """The violation of `rule` by something that is not there."""
        return Violation(path=self.path, value="null", constraint=rule)

    def unsupported(self, reason: str) -> Violation:
        """The violation for a member that this service does not honour yet, and therefore refuses."""
        return self.breaks(f"Member is not supported yet: {reason}")


#: From a place to the one inside it: a member's name, an element's number, an entry's key (in a tuple).
_Step = str | int | tuple[str]


def _written(step: _Step) -> str:
    if isinstance(step, str):
        return step[:1].lower() + step[1:]
    return f"{step if isinstance(step, int) else step[0]}.member"


def repeated_members(items: Place, member: str, noun: str) -> Iterator[Violation]:
    """A violation for each element of a list whose `member` has the value that an earlier one's has."""
    given = [item.get(member) for item in items.value] if isinstance(items.value, list) else []
    if len(set(given)) < len(given):
        yield from repeated((item.member(member) for item in items.elements()), noun)


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
