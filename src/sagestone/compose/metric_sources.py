"""Whom the metrics of a service are asked of."""

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
