"""The one thread that writes: changes that arrive together share a transaction, and so one wait for the disk."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sagestone.store.interface import StoreFull

Result = TypeVar("Result")

#: Changes that one transaction may hold.
LARGEST_GROUP = 256


@dataclass(frozen=True, slots=True)
class _Change:
    apply: Callable[[sqlite3.Connection], Any]
    future: Future[Any]


class Writer:
    """Runs changes one after the other; `write` returns when the change is on disk.

    A change that raises is undone alone; the others of its group stay. When the commit itself fails, all of them fail.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `change` returns, once durable; what it raises passes through."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a change asked the store for another change; changes must be pure")
        future: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the store is closed")
            self._queue.put(_Change(change, future))
        return future.result()

    def close(self) -> None:
        """Finish what was asked for, then close; idempotent."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._next_group()
            if group:
                self._commit(group)
        self._connection.close()

    def _next_group(self) -> tuple[list[_Change], bool]:
        """The changes that wait now, at least one; False when the store closes after them."""
        group: list[_Change] = []
        entry = self._queue.get()
        while entry is not None:
            group.append(entry)
            if len(group) == LARGEST_GROUP or self._queue.empty():
                return group, True
            entry = self._queue.get()
        return group, False

    def _commit(self, group: list[_Change]) -> None:
        connection = self._connection
        told: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for change in group:
                told.append((change.future, *_attempt(connection, change.apply)))
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


def _told(error: BaseException) -> BaseException:
    """A full disk in the store's own words, every other error as it is."""
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        full = StoreFull(
            "The disk that holds the service's state is full, so nothing was changed. Free space there and try again."
        )
        full.__cause__ = error
        return full
    return error


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
