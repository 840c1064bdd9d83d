"""The store in one SQLite file: one writer thread with group commit, reads on the caller's thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sagestone.domain.algorithm import Algorithm
from sagestone.store.connections import Readers, open_writer
from sagestone.store.database import Connection, Item, Result
from sagestone.store.migrations import migrate
from sagestone.store.name_index import keep_names
from sagestone.store.sql_store import SqlStore
from sagestone.store.writer import Writer


def open_sqlite(path: Path, describe: Callable[[Algorithm], bytes], describe_version: str = "") -> SqlStore:
    """The store in the file at `path`, which is made or brought up to date; raises NewerDatabase."""
    connection = open_writer(path)
    try:
        migrate(connection, path)
        finds_names = keep_names(connection)
    except BaseException:
        connection.close()
        raise
    database = SqliteDatabase(writer=Writer(connection), readers=Readers(path), finds_names=finds_names)
    try:
        return SqlStore(database, describe, describe_version)
    except BaseException:
        database.close()
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteDatabase:
    """`sagestone.store.database.Database` in one file."""

    writer: Writer
    readers: Readers
    finds_names: bool

    def write(self, change: Callable[[Connection], Result]) -> Result:
        return self.writer.write(change)

    def add(self, add_all: Callable[[Connection, Sequence[Item]], None], item: Item) -> "Future[None]":
        return self.writer.add(add_all, item)

    def reader(self) -> Connection:
        return self.readers.connection()

    def close(self) -> None:
        self.writer.close()
        self.readers.close()
