"""What the store asks of a database: connections that carry out SQL, and changes that are whole and durable."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Parameters = Sequence[Any]


class ConstraintBroken(Exception):
    """A row would stand twice, or would lose what it refers to: PostgreSQL's word for sqlite3.IntegrityError."""


#: What a statement raises that breaks a unique key or a reference, by either database.
CONSTRAINT_BROKEN: Final = (sqlite3.IntegrityError, ConstraintBroken)


class Cursor(Protocol):
    """What a statement gave; `sqlite3.Cursor` is one."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Carries out statements; `sqlite3.Connection` is one.

    The SQL of this package is what both databases read, written in SQLite's words where they differ:
    `postgres.dialect` has the few that are put into PostgreSQL's.
    """

    def execute(self, sql: str, parameters: Parameters = ..., /) -> Cursor: ...

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor: ...


class Database(Protocol):
    """An open database. All calls may be made from any thread."""

    def write(self, change: Callable[[Connection], Result]) -> Result:
        """What `change` returns, once it is durable; all of it or nothing. What it raises passes through.

        `change` is pure but for its connection: a database may ask for it once more.
        """
        ...

    def add(self, add_all: Callable[[Connection, Sequence[Item]], None], item: Item) -> "Future[None]":
        """Done once the item is durable, or with what `add_all` raises; a database may give it several items at once.

        `add_all` adds all of them or raises, and is asked again then for each by itself. A database whose changes need
        no more than the disk gives the future at once.
        """
        ...

    @property
    def finds_names(self) -> bool:
        """Whether it has the index of `name_index`."""
        ...

    def reader(self) -> Connection:
        """For statements that only read, each by itself; they never wait for a change."""
        ...

    def close(self) -> None: ...
