"""What an examination of the machine finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined."""

    subject: str
    level: Literal["good", "warning", "bad"]
    text: str
