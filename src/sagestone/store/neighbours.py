"""Other services on the same database: what belongs to whom, and telling each other that something changed."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sagestone.store.database import Connection
from sagestone.store.interface import Orphan


class Neighbours(Protocol):
    """Those of one service, which is known by its home."""

    @property
    def ours(self) -> tuple[str, Sequence[Any]]:
        """A condition on rows of `resources`, with its values: what this service may take up."""
        ...

    def keep_place(self, connection: Connection, key: str, placed: bool) -> None:
        """Within a change: the job has its instances with this service from now on, or has none any more."""
        ...

    def void_leases(self, connection: Connection) -> None:
        """Within a change: forget the leases of this home."""
        ...

    def orphans(self) -> Sequence[Orphan]: ...

    def tell(self) -> None:
        """The others should look; returns at once."""
        ...

    def watch(self, hint: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class Watched:
    """A change that remembers what it was asked to change and what it made of it."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change
        self.before: Any = None
        self.after: Any = None

    def __call__(self, document: Any) -> Any:
        """Carry it out."""
        self.before = document
        self.after = self._change(document)
        return self.after

    @property
    def moved(self) -> bool:
        """Whether there may be something new to do for somebody."""
        return self.after is not self.before and _standing(self.after) != _standing(self.before)

    @property
    def placed(self) -> bool | None:
        """Whether a job got its instances (True) or has none any more (False); None: as before."""
        had, has = (getattr(document, "runtime", None) is not None for document in (self.before, self.after))
        return None if had == has else has


def _standing(document: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(document, name, None) for name in ("status", "runtime", "run_over", "interrupting", "warm_pool")
    )
