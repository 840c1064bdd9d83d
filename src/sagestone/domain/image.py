"""An image as a specification names it and as a run uses it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """A URI as the caller wrote it, pinned to the digest it had when the algorithm was created."""

    uri: str
    digest: str  # sha256:<64 hex>; what runs, whatever the tag says later
