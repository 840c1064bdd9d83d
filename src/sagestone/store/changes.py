"""Changes of documents: with the lease that they need, what goes with them, and what other services are told."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from sagestone.store import lease_rows, rows
from sagestone.store.database import Connection, Database
from sagestone.store.neighbours import Neighbours, Watched


def _nothing(connection: Connection) -> None:
    """What most changes carry out besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Those of a database that `neighbours` have open too (None: nobody has)."""

    database: Database
    describe: rows.Describe
    neighbours: Neighbours | None

    def begin_add(self, document: rows.Document, tags: Mapping[str, str]) -> "Future[None]":
        """Done once it is durable, or with NameTaken or NotFound."""
        added = self.database.add(rows.insert, rows.new_row(document, tags, self.describe))
        if self.neighbours is not None:
            added.add_done_callback(self._tell_of)
        return added

    def change(
        self,
        kind: rows.Kind,
        name: str,
        change: Callable[..., rows.Document],
        holder: str | None,
        also: Callable[[Connection], None] = _nothing,
    ) -> rows.Document:
        """One transaction: the change of a holder of the lease, and what else goes with it."""
        watched = Watched(change)
        key = f"{kind}/{name}"

        def apply(connection: Connection) -> rows.Document:
            lease_rows.check(connection, key, holder)
            after: rows.Document = rows.change(connection, kind, name, watched, self.describe)
            also(connection)
            if self.neighbours is not None and watched.placed is not None:
                self.neighbours.keep_place(connection, key, watched.placed)
            return after

        after = self.database.write(apply)
        if self.neighbours is not None and watched.moved:
            self.neighbours.tell()
        return after

    def remove(self, kind: rows.Kind, name: str, holder: str | None) -> bool:
        """Take the row and its tags away; whether there was one. Raises NotEmpty for a group with members."""

        def apply(connection: Connection) -> bool:
            lease_rows.check(connection, f"{kind}/{name}", holder)
            return rows.remove(connection, kind, name)

        return self.database.write(apply)

    def _tell_of(self, added: "Future[None]") -> None:
        if self.neighbours is not None and added.exception() is None:
            self.neighbours.tell()
