"""Whom the metrics of a service are asked of; what makes Prometheus' text of it is imported at the first question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.compose.tenant import Tenant
from sagestone.placement.ledger import Books
from sagestone.s3.storage.storage import Storage
from sagestone.server.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The parts of a service that know something countable."""

    home: Path
    traffic: Traffic
    tenants: Callable[[], Sequence[Tenant]]  # told of together: which accounts there are is nobody else's business
    books: Books
    storage: Storage | None
    runtime: str


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
