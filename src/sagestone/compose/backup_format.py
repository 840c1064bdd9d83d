"""What stands in a backup beside the home's own files."""

from dataclasses import dataclass
from typing import Final

#: Raised when an older version could not restore what is written now.
FORMAT: Final = 1

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
IMAGES: Final = "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """By whom and when (epoch seconds) a backup was made, and the ids of the images in it."""

    format: int
    version: str
    made_at: float
    images: tuple[str, ...] = ()
