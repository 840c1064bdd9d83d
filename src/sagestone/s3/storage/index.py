"""The index of the embedded store: one SQLite database that several processes read and write at once."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sagestone.s3.storage.refusal import refusing_when_full

VERSION = 3
BUSY_SECONDS = 60.0

SCHEMA = """
CREATE TABLE bucket (
  name TEXT PRIMARY KEY, region TEXT NOT NULL, created_at REAL NOT NULL,
  owner TEXT NOT NULL DEFAULT '', encryption BLOB) WITHOUT ROWID;
CREATE TABLE object (
  bucket TEXT NOT NULL, key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified_at REAL NOT NULL, description BLOB NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE upload (
  bucket TEXT NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL, begun_at REAL NOT NULL, description BLOB NOT NULL,
  checksum_algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL, PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
CREATE TABLE part (
  upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified_at REAL NOT NULL, checksums BLOB NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
"""

#: What brings an index of the version before to each version. From version 3 on objects may be encrypted.
MIGRATIONS = {
    2: "ALTER TABLE bucket ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    3: "ALTER TABLE bucket ADD COLUMN encryption BLOB",
}

Row = Sequence[Any]
Outcome = TypeVar("Outcome")


class NewerIndex(Exception):
    """The index was written by a newer version than this one."""


class Index:
    """Reads never wait for writers (WAL); a write is durable when `write` returns (synchronous=FULL).

    All calls may be made from any thread. Writers of one process take turns on a lock, those of several on SQLite's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self._create_tables()

    def rows(self, sql: str, parameters: Row = ()) -> list[Row]:
        """All rows of a query."""
        with self._reader() as connection:
            return connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Row = ()) -> Row | None:
        """The first row of a query; None without one."""
        with self._reader() as connection:
            found: Row | None = connection.execute(sql, parameters).fetchone()
            return found

    def read(self, work: Callable[[sqlite3.Connection], Outcome]) -> Outcome:
        """Several queries on one connection, each of which sees the newest state."""
        with self._reader() as connection:
            return work(connection)

    def write(self, work: Callable[[sqlite3.Connection], Outcome]) -> Outcome:
        """Do the work in one transaction, kept on disk when this returns; rolled back when the work raises."""
        with self._writing, refusing_when_full(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                outcome = work(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            return outcome

    def snapshot(self, target: Path, seize: Callable[[sqlite3.Connection], None]) -> None:
        """Copy the index, as it is at one moment, to the new file `target`.

        `seize` is called at that moment: nobody writes until it returns; they do again while the copy is made.
        """
        reader, copy = self._connect(), sqlite3.connect(target, isolation_level=None)

        def work(connection: sqlite3.Connection) -> None:
            seize(connection)
            reader.execute("BEGIN")
            reader.execute("SELECT 1 FROM bucket LIMIT 1").fetchone()  # only now it sees a state, and keeps to it

        try:
            with refusing_when_full(target):
                self.write(work)
                reader.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, until it is opened again
        finally:
            reader.close()
            copy.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._writing:
            self._writer.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def _create_tables(self) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in SCHEMA.strip().split(";\n"):
                self._writer.execute(statement)
        for newer in range(version + 1, VERSION + 1) if version else ():
            self._writer.execute(MIGRATIONS[newer])
        if version < VERSION:
            self._writer.execute(f"PRAGMA user_version={VERSION}")
        self._writer.execute("COMMIT")
        if version > VERSION:
            self._writer.close()
            raise NewerIndex(
                f"{self._path} was written by a newer version of Sagestone (format {version}, this one knows "
                f"{VERSION}): start that version, or another home directory"
            )
