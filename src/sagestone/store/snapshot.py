"""A copy of a database as it is at one moment, made while others write."""

import sqlite3
from contextlib import closing
from pathlib import Path


def snapshot(database: Path, target: Path) -> None:
    """Copy the SQLite database to the new file `target`; raises sqlite3.Error. Writers go on meanwhile."""
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, until it is opened again


def complaint(database: Path) -> str:
    """What is wrong inside the database, in SQLite's words; "" when nothing is. Only reads; raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as source:
        (first,) = source.execute("PRAGMA quick_check(1)").fetchone()
        return "" if first == "ok" else str(first)
