"""How often running instances are looked at: often when things happen, less when they are quiet."""

_QUICKEST_SECONDS = 0.02
_SLOWEST_SECONDS = 0.1
_SLOWING = 1.3


class Pace:
    """Each look that finds nothing makes the next wait longer, up to a tenth of a second."""

    def __init__(self) -> None:
        self._seconds = _QUICKEST_SECONDS

    def quicken(self) -> None:
        """Something happened."""
        self._seconds = _QUICKEST_SECONDS

    def next_seconds(self) -> float:
        """How long to wait until the next look."""
        seconds = self._seconds
        self._seconds = min(_SLOWEST_SECONDS, seconds * _SLOWING)
        return seconds
