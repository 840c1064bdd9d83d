"""The metrics of a service; what makes Prometheus' text of them is imported at the first question."""

from collections.abc import Callable

from sagestone.compose.metric_sources import Sources


class Exposition:
    """Prometheus' text about a service; called by one thread at a time."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._make: Callable[[], bytes] | None = None

    def __call__(self) -> bytes:
        if self._make is None:
            from sagestone.compose.service_metrics import exposition  # a tenth of a second, which no start should wait

            self._make = exposition(self._sources)
        return self._make()
