"""Whether a store's index and its blobs belong together; only reads."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """How many blobs are named, how many of these are missing, and how many files nobody names."""

    named: int
    lost: int
    unnamed: int


def examine_store(directory: Path) -> Examined:
    """Compare index and blobs; raises sqlite3.Error. What is being written counts as named by nobody."""
    uri = f"{(directory / 'index.sqlite3').absolute().as_uri()}?mode=ro"
    there = {path.name for path in (directory / "blobs").glob("*/*")}
    with closing(sqlite3.connect(uri, uri=True, timeout=10)) as index:
        named = {row[0] for row in index.execute("SELECT blob FROM object UNION ALL SELECT blob FROM part")}
    missing = [name for name in named - there if not (directory / "blobs" / name[:2] / name).exists()]
    return Examined(named=len(named), lost=len(missing), unnamed=len(there - named))
