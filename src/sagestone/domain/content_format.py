"""The formats whose records can be looked into: filtered, joined, given ids."""

from typing import Final, Literal

Format = Literal["text/csv", "application/json", "application/jsonlines"]
FORMATS: Final[tuple[Format, ...]] = ("text/csv", "application/json", "application/jsonlines")


def format_of(content_type: str | None) -> Format | None:
    """The format that a content type stands for, whatever its parameters; None for any other."""
    known = (content_type or "").partition(";")[0].strip().lower()
    return next((each for each in FORMATS if each == known), None)
