"""What a check finds: constraints that are broken, in the wording and path style of the Java services of AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

#: The message of a ValidationException is cut after this many characters: a hostile request must not make us talk.
LONGEST_SUMMARY = 65536


class WrongType(Exception):
    """A JSON value of a type that the model does not allow there: the caller gets a SerializationException."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken constraint. `value` is how the offending value is printed, quotes included; `null` for one that is
    missing, "" for one that must not be shown. `path` starts at the request: `tags.1.member.key`."""

    path: str
    value: str
    constraint: str

    @property
    def text(self) -> str:
        shown = f"Value {self.value}" if self.value else "Value"
        return f"{shown} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def summary(violations: Sequence[Violation]) -> str:
    """The message that tells them all: `2 validation errors detected: …; …`."""
    count = len(violations)
    text = f"{count} validation error{'' if count == 1 else 's'} detected: "
    text += "; ".join(violation.text for violation in violations)
    if len(text) > LONGEST_SUMMARY:
        text = text[:LONGEST_SUMMARY] + "… (the rest is left out)"
    return text
