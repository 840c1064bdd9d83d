"""The volume of an instance: how much the channels may fill."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Room:
    """A quota in bytes (None: as much as the disk holds) and what is used of it."""

    limit: int | None
    used: int = 0

    def has(self, wanted: int) -> bool:
        """Whether that many more bytes fit."""
        return self.limit is None or self.used + wanted <= self.limit


def gibibytes(count: int) -> str:
    """A number of bytes as people read it: `3 bytes`, `1.5 KiB`, `12.0 GiB`."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
