"""Leases: who works on what, until when."""

import sqlite3

from sagestone.store.interface import LeaseLost


def take(connection: sqlite3.Connection, key: str, holder: str, now: float, seconds: float) -> bool:
    """Whether `holder` has the lease on `key` now: free, expired or its own already."""
    cursor = connection.execute(
        "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
        " SET holder = excluded.holder, expires_at = excluded.expires_at"
        " WHERE leases.holder = excluded.holder OR leases.expires_at <= ?",
        (key, holder, now + seconds, now),
    )
    return cursor.rowcount == 1


def release(connection: sqlite3.Connection, key: str, holder: str) -> None:
    """Give it up; another's lease is left alone."""
    connection.execute("DELETE FROM leases WHERE key = ? AND holder = ?", (key, holder))


def check(connection: sqlite3.Connection, key: str, holder: str | None) -> None:
    """Raises LeaseLost when `holder` (where one is named) does not have the lease on `key`."""
    if holder is None:
        return
    row = connection.execute("SELECT holder FROM leases WHERE key = ?", (key,)).fetchone()
    if row is None or row[0] != holder:
        raise LeaseLost(f"the lease on {key} is {'free' if row is None else 'held by ' + row[0]}, not {holder}'s")
