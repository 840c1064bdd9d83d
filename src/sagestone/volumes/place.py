"""Where the volume of a directory is."""

from pathlib import Path


def data_of(directory: Path) -> Path:
    """What is used of it, once it is open: all below is encrypted."""
    return directory / "mounted" / "data"
