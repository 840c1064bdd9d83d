"""Another process that holds the database for longer than a writer waits."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sagestone.store.interface import StoreUnavailable
from sagestone.store.writer import Writer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE kept (word)")
    return path


@pytest.fixture
def writer(file: Path) -> Iterator[Writer]:
    """One that has little patience."""
    made = Writer(sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0.05))
    yield made
    made.close()


def _keep(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO kept VALUES ('one')")


def test_nothing_is_changed_and_it_may_be_tried_again(file: Path, writer: Writer) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="Another process has locked"):
            writer.write(_keep)
        with pytest.raises(StoreUnavailable):
            writer.add(lambda connection, items: _keep(connection), "one").result(60)
        other.execute("ROLLBACK")
        writer.write(_keep)
        assert other.execute("SELECT count(*) FROM kept").fetchone() == (1,)
