"""The metric points that were found in a container's output and are not told yet."""

from collections.abc import Callable

from sagestone.domain.metric import MetricPoint

_MOST_POINTS = 1000  # told at a time
_MOST_WAITING = 20_000

LineMetrics = Callable[[str, float], list[MetricPoint]]


class FoundMetrics:
    """Of more than a thousand points at a time the newest are told and the last of each name, after `many` altogether
    only the last of each name. `told` counts them all."""

    def __init__(self, find: LineMetrics, many: int) -> None:
        self._find, self._many = find, many
        self._points: list[MetricPoint] = []
        self._said = False
        self.told = 0

    def look(self, text: str, at: float) -> None:
        """Find the points of one line."""
        self._points += self._find(text, at)
        if len(self._points) > _MOST_WAITING:
            self._points = _thinned(self._points, _MOST_POINTS)

    def take(self, say: Callable[[str], None]) -> list[MetricPoint]:
        """The points to tell now; says it, once, where they are many altogether."""
        points = _thinned(self._points, _MOST_POINTS if self.told < self._many else 0)
        if self.told >= self._many and len(points) < len(self._points) and not self._said:
            self._said = True
            say(f"[sagestone] {self.told} values of metrics were found; of further ones only some are kept")
        self._points = []
        self.told += len(points)
        return points


def _thinned(points: list[MetricPoint], most: int) -> list[MetricPoint]:
    """The newest, `most` at most, and the last one of every name."""
    if len(points) <= most:
        return points
    last = {point.name: index for index, point in enumerate(points)}
    first_kept = len(points) - most
    return [points[index] for index in sorted(last.values()) if index < first_kept] + points[first_kept:]
