"""The subset of JSONPath that DataProcessing understands: `$`, `.name`, `*`, `['a','b']`, `[0,-1]`, `[1:4]`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sagestone.domain.content_format import Format

#: Letters, digits, and these; a name with any other letter cannot be written (observed for `_`).
OPERATORS = ("$", "[", "]", "*", ".", " ", ",", ":", "-", "'")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_QUOTED = re.compile(r"'([A-Za-z0-9 -]+)'")
_INDEX = re.compile(r"-?[0-9]{1,9}")
_RANGE = re.compile(r"(-?[0-9]{1,9})? *: *(-?[0-9]{1,9})?")


class BadPath(Exception):
    """The text is no path of the subset; the exception's text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Members of an object: `.a`, `['a']`, `['a','b']`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """`[first:last]`, both included; None: from the first, to the last. Negative numbers count from the end."""

    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """Elements of an array: `[0]`, `[0,-1]`, `[1:4]`, `[0,5:]`."""

    items: tuple[int | Range, ...]

    def positions(self, count: int) -> list[int]:
        """The places of the elements in an array of `count`; raises IndexError for an index that it does not have.

        A range takes what there is of it.
        """
        found: list[int] = []
        for item in self.items:
            if isinstance(item, Range):
                first, last = item.first or 0, -1 if item.last is None else item.last
                first, last = first + count if first < 0 else first, last + count if last < 0 else last
                found.extend(range(max(0, first), min(count, last + 1)))
            elif -count <= item < count:
                found.append(item % count)
            else:
                raise IndexError(f"there is no element {item} among {count}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """`*`: all elements of an array, all values of an object."""


Step = Names | Indexes | Everything


def is_single(step: Step) -> bool:
    """Whether a step leads to one value, not to several."""
    if isinstance(step, Names):
        return len(step.names) == 1
    return isinstance(step, Indexes) and len(step.items) == 1 and isinstance(step.items[0], int)


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps below the root; none for `$`. Raises BadPath.

    A range includes its last element, as the service's pages say with examples (`[1:4]` is the second to the fifth).
    """
    if not text.startswith("$"):
        raise BadPath("it has to begin with $")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        dotted = text[at] == "."
        start = at + dotted
        if text[start : start + 1] == "[":
            end = text.find("]", start)
            if end < 0:
                raise BadPath(f"the bracket at position {start} is not closed")
            steps.append(_bracket(text[start + 1 : end], text))
            at = end + 1
        elif dotted and text[start : start + 1] == "*":
            steps.append(Everything())
            at = start + 1
        elif dotted and (name := _NAME.match(text, start)) is not None:
            steps.append(Names(names=(name[0],)))
            at = name.end()
        else:
            raise BadPath(
                f"a name, * or a bracket is expected at position {start}, {text[start:] or 'the end'!r} found"
            )
    return tuple(steps)


def parse_filter(text: str, content_type: Format) -> tuple[Step, ...]:
    """The path of an InputFilter or OutputFilter for data of that type; raises BadPath in the service's words.

    A row of CSV is an array of its columns, so only one bracket with numbers (or `*`) can follow the `$` there.
    """
    for letter in text:
        if not (letter.isascii() and letter.isalnum()) and letter not in OPERATORS:
            allowed = ", ".join(f"'{operator}'" for operator in OPERATORS)
            raise BadPath(
                f'Unexpected "{letter}" in JsonPath. Supported operators for "{content_type}" are [{allowed}]'
            )
    steps = parse_path(text)
    if content_type == "text/csv" and (len(steps) > 1 or any(isinstance(step, Names) for step in steps)):
        raise BadPath("a row of text/csv has columns without names: use indexes, as in $[0,-1] or $[1:]")
    return steps


def _bracket(inner: str, text: str) -> Step:
    items = [item.strip() for item in inner.split(",")]
    if items == ["*"]:
        return Everything()
    if all(_QUOTED.fullmatch(item) for item in items):
        return Names(names=tuple(item[1:-1] for item in items))
    numbers = Indexes(items=tuple(_number(item, inner) for item in items))
    if _ranges(numbers.items) > 1:
        raise BadPath(
            f"only single range filters of format (eg: [1:5]) are supported. Format [{inner}] is not supported"
        )
    return numbers


def _number(item: str, inner: str) -> int | Range:
    if _INDEX.fullmatch(item):
        return int(item)
    found = _RANGE.fullmatch(item)
    if found is None:
        raise BadPath(f"[{inner}] is neither names in quotes, nor indexes, nor a range, nor *")
    first, last = (None if part is None else int(part) for part in found.groups())
    return Range(first=first, last=last)


def _ranges(items: Sequence[int | Range]) -> int:
    return sum(isinstance(item, Range) for item in items)
