"""The one thread that writes: changes that arrive together share a transaction, and so one wait for the disk."""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sagestone.store.interface import StoreFull, StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Changes that one transaction may hold.
LARGEST_GROUP = 256
_PRIMARY = 0xFF  # of SQLite's codes: what is above says more about it


@dataclass(frozen=True, slots=True)
class _Change:
    apply: Callable[[sqlite3.Connection], Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Addition:
    add_all: Callable[[sqlite3.Connection, Sequence[Any]], None]
    item: Any
    future: Future[Any]


_Told = tuple[Future[Any], Any, BaseException | None]


class Writer:
    """Runs changes one after the other; `write` returns when the change is on disk.

    A change that raises is undone alone; the others of its group stay. When the commit itself fails, all of them fail.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[_Change | _Addition | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `change` returns, once durable; what it raises passes through."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a change asked the store for another change; changes must be pure")
        future: Future[Result] = Future()
        self._ask(_Change(change, future))
        return future.result()

    def add(self, add_all: Callable[[sqlite3.Connection, Sequence[Item]], None], item: Item) -> "Future[None]":
        """Done once the item is durable, or with what `add_all` raised for it alone; nobody waits here.

        Items that come one after the other are handed to one call of `add_all`, which adds all or raises.
        """
        future: Future[None] = Future()
        self._ask(_Addition(add_all, item, future))
        return future

    def close(self) -> None:
        """Finish what was asked for, then close; idempotent."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _ask(self, entry: _Change | _Addition) -> None:
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the store is closed")
            self._queue.put(entry)

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._next_group()
            if group:
                self._commit(group)
        self._connection.close()

    def _next_group(self) -> tuple[list[_Change | _Addition], bool]:
        """The changes that wait now, at least one; False when the store closes after them."""
        group: list[_Change | _Addition] = []
        entry = self._queue.get()
        while entry is not None:
            group.append(entry)
            if len(group) == LARGEST_GROUP or self._queue.empty():
                return group, True
            entry = self._queue.get()
        return group, False

    def _commit(self, group: list[_Change | _Addition]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            told = list(_carry_out(connection, group))
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 (every caller of the group must hear of it)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for change in group:
                change.future.set_exception(_told(error))
            return
        for future, result, failure in told:
            if failure is not None:
                future.set_exception(_told(failure))
            else:
                future.set_result(result)


def _carry_out(connection: sqlite3.Connection, group: list[_Change | _Addition]) -> Iterator[_Told]:
    """What became of each, in order."""
    for add_all, together in groupby(group, lambda entry: entry.add_all if isinstance(entry, _Addition) else None):
        entries = list(together)
        if add_all is not None:
            yield from _add(connection, add_all, [entry for entry in entries if isinstance(entry, _Addition)])
        else:
            for entry in entries:
                if isinstance(entry, _Change):
                    yield (entry.future, *_attempt(connection, entry.apply))


def _add(
    connection: sqlite3.Connection,
    add_all: Callable[[sqlite3.Connection, Sequence[Any]], None],
    entries: list[_Addition],
) -> Iterator[_Told]:
    """All by one call, or, where one of them cannot be added, each by its own."""
    _, failure = _attempt(connection, lambda connection: add_all(connection, [entry.item for entry in entries]))
    if failure is None or len(entries) == 1:
        yield from ((entry.future, None, failure) for entry in entries)
        return
    for entry in entries:
        yield from _add(connection, add_all, [entry])


def _told(error: BaseException) -> BaseException:
    """A full disk and a lock of another process in the store's own words, every other error as it is."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY if isinstance(error, sqlite3.Error) else 0
    told: BaseException = error
    if code == sqlite3.SQLITE_FULL:
        told = StoreFull(
            "The disk that holds the service's state is full, so nothing was changed. Free space there and try again."
        )
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        told = StoreUnavailable("Another process has locked the service's state for long, so nothing was changed.")
    if told is not error:
        told.__cause__ = error
    return told


def _attempt(
    connection: sqlite3.Connection, apply: Callable[[sqlite3.Connection], Any]
) -> tuple[Any, BaseException | None]:
    connection.execute("SAVEPOINT change")
    try:
        result = apply(connection)
    except BaseException as error:  # noqa: BLE001 (handed to the caller that asked)
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        return None, error
    connection.execute("RELEASE change")
    return result, None
