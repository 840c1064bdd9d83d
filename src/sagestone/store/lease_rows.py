"""Leases: who works on what, until when."""

from sagestone.store.database import Connection
from sagestone.store.interface import LeaseLost


def take(connection: Connection, key: str, holder: str, seconds: float) -> bool:
    """Whether `holder` has the lease on `key` now, for so many seconds: it was free, expired or its own already."""
    taken = connection.execute(
        "INSERT INTO leases (key, holder, expires_at) VALUES (?, ?, epoch() + ?) ON CONFLICT (key) DO UPDATE"
        " SET holder = excluded.holder, expires_at = excluded.expires_at"
        " WHERE leases.holder = excluded.holder OR leases.expires_at <= epoch() RETURNING key",
        (key, holder, seconds),
    ).fetchall()
    return bool(taken)


def release(connection: Connection, key: str, holder: str) -> None:
    """Give it up; another's lease is left alone."""
    connection.execute("DELETE FROM leases WHERE key = ? AND holder = ?", (key, holder))


def forget_all(connection: Connection) -> None:
    """Whoever holds them."""
    connection.execute("DELETE FROM leases")


def check(connection: Connection, key: str, holder: str | None) -> None:
    """Raises LeaseLost when `holder` (where one is named) does not have the lease on `key`."""
    if holder is None:
        return
    row = connection.execute("SELECT holder FROM leases WHERE key = ? /* FOR SHARE */", (key,)).fetchone()
    if row is None or row[0] != holder:
        raise LeaseLost(f"the lease on {key} is {'free' if row is None else 'held by ' + row[0]}, not {holder}'s")
