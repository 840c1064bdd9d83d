"""An open PostgreSQL database: a few connections that threads borrow, and changes as transactions of their own.

PostgreSQL itself lets changes that commit at the same time share a wait for the disk, whichever service they come
from; so there is no one writer here. What two changes must not do at once is kept apart by locks on rows.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, NoReturn, TypeVar

from sagestone.store.database import Connection, Item, Parameters, Result
from sagestone.store.interface import StoreUnavailable
from sagestone.store.postgres.address import Address
from sagestone.store.postgres.session import ANSWER_SECONDS, Answer, Away, Session, TryAgain

#: Connections at most, and how long one that nobody needs stays open.
MOST: Final = 12
_IDLE_SECONDS: Final = 60.0
_TRIES: Final = 6

Given = TypeVar("Given")


class PostgresDatabase:
    """`sagestone.store.database.Database` in one schema."""

    def __init__(self, address: Address, schema: str) -> None:
        self._address, self._schema = address, schema
        self._room = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Session]] = []  # the last returned last
        self._closed = False
        self._reader = _Reader(self)

    @property
    def finds_names(self) -> bool:
        return False

    def write(self, change: Callable[[Connection], Result]) -> Result:
        """Raises StoreUnavailable, StoreFull."""
        for attempt in range(_TRIES):
            try:
                return self._with_session(lambda session: _transact(session, change))
            except TryAgain as error:
                problem = error
                time.sleep(random.uniform(0.0, 0.01 * 2**attempt))
        raise StoreUnavailable(f"The change could not be made for others that were in its way: {problem}")

    def add(self, add_all: Callable[[Connection, Sequence[Item]], None], item: Item) -> "Future[None]":
        """Done when it is given: the wait is here."""
        future: Future[None] = Future()
        try:
            future.set_result(self.write(lambda connection: add_all(connection, [item])))
        except Exception as error:  # noqa: BLE001 (told by the future, as it would be told by the writer of a file)
            future.set_exception(error)
        return future

    def reader(self) -> Connection:
        return self._reader

    def read(self, sql: str, parameters: Parameters) -> Answer:
        """Carry out a statement that only reads."""
        return self._with_session(lambda session: session.execute(sql, parameters))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, session in idle:
            session.close()

    def _with_session(self, act: Callable[[Session], Given]) -> Given:
        """`act` on a connection; once more on a new one, where a connection that had rested turns out to be gone."""
        try:
            with self._borrowed() as session:
                return act(session)
        except Away:
            self._drop_idle()
        try:
            with self._borrowed() as session:
                return act(session)
        except Away as error:
            raise StoreUnavailable(f"The database {self._address.shown} went away: {error}") from error

    @contextmanager
    def _borrowed(self) -> Iterator[Session]:
        if not self._room.acquire(timeout=ANSWER_SECONDS):
            raise StoreUnavailable("All connections to the database have been busy for too long.")
        try:
            session = self._take() or Session(self._address, self._schema)
            try:
                yield session
            finally:
                self._give_back(session)
        finally:
            self._room.release()

    def _take(self) -> Session | None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            return self._idle.pop()[1] if self._idle else None

    def _give_back(self, session: Session) -> None:
        now = time.monotonic()
        with self._lock:
            rested = [each for since, each in self._idle if now - since > _IDLE_SECONDS]
            self._idle = self._idle[len(rested) :]
            if self._closed or session.broken:
                rested.append(session)
            else:
                self._idle.append((now, session))
        for each in rested:
            each.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, session in idle:
            session.close()


class _Reader:
    """Each statement on whatever connection is free."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def execute(self, sql: str, parameters: Parameters = (), /) -> Answer:
        return self._database.read(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> NoReturn:
        raise TypeError("a reader changes nothing")


def _transact(session: Session, change: Callable[[Connection], Result]) -> Result:
    session.plain("BEGIN")
    try:
        result = change(session)
    except Away:
        raise
    except BaseException:
        session.plain("ROLLBACK")
        raise
    try:
        session.plain("COMMIT")
    except Away as error:
        raise StoreUnavailable(
            "The connection to the database broke while a change was being kept: it was made or it was not. Look "
            "before you try again."
        ) from error
    return result
