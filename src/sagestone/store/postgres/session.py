"""One connection to PostgreSQL: statements are prepared once, and what goes wrong is told in the store's words."""

import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, PreparedStatement

from sagestone.store.database import ConstraintBroken, Parameters
from sagestone.store.interface import StoreFull, StoreUnavailable
from sagestone.store.postgres.address import Address
from sagestone.store.postgres.dialect import in_postgres

#: How long a server may take to answer a statement, or to be connected to, before it counts as away.
ANSWER_SECONDS: Final = 30.0
#: How long the server keeps what a service holds that has gone silent in the middle of a change.
_SILENCE_MS: Final = 20_000

_PREPARED: Final = 200
_BROKEN = (InterfaceError, OSError, struct.error)
#: SQLSTATEs: the server goes away or takes nobody in, or is no server that takes changes (a standby).
_AWAY = ("57P01", "57P02", "57P03", "57P05", "53300", "25P03", "25006")
_TRY_AGAIN = ("40001", "40P01", "55P03")


class TryAgain(Exception):
    """Two changes were in each other's way, and this one was undone: it may be carried out once more."""


class Away(Exception):
    """The connection is gone, and nothing that was not committed stays."""


class Answer:
    """What a statement gave, as `sagestone.store.database.Cursor`."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        """The first row, or None."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        """All rows."""
        return self._rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


class Session:
    """`sagestone.store.database.Connection`, used by one thread at a time. Every statement sees the tables of `schema`.

    After Away it is of no use any more: `broken`.
    """

    def __init__(self, address: Address, schema: str, *, patience_seconds: float | None = ANSWER_SECONDS) -> None:
        self.broken = False
        try:
            self._connection = Connection(
                **address.arguments(), timeout=patience_seconds, application_name="sagestone"
            )  # fmt: skip
        except DatabaseError as error:
            raise StoreUnavailable(f"The database {address.shown} takes us not in: {_message(error)}") from error
        except _BROKEN as error:
            reason = error.__cause__ or error
            raise StoreUnavailable(f"The database {address.shown} cannot be reached: {reason}") from error
        self._prepared: OrderedDict[str, PreparedStatement] = OrderedDict()
        # A whole number for a bool: columns that are numbers in SQLite are so here.
        self._connection.register_out_adapter(bool, lambda value: "1" if value else "0")
        self.plain(
            f'SET search_path TO "{schema}"; SET idle_in_transaction_session_timeout TO {_SILENCE_MS};'
            " SET lock_timeout TO 5000; SET jit TO off; SET tcp_keepalives_idle TO 10;"
            " SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )

    def execute(self, sql: str, parameters: Parameters = (), /) -> Answer:
        """Carry out a statement of the shared SQL. Raises ConstraintBroken, TryAgain, StoreFull, Away."""
        try:
            statement = self._prepare(sql)
            values = {f"p{number}": _storable(value) for number, value in enumerate(parameters)}
            rows = statement.run(**values)
            return Answer([tuple(row) for row in rows or ()])
        except (DatabaseError, *_BROKEN) as error:
            raise self._told(error) from error

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Answer:
        """Carry it out with each."""
        for each in parameters:
            self.execute(sql, each)
        return Answer([])

    def plain(self, sql: str) -> list[list[Any]]:
        """Statements without parameters in PostgreSQL's own words, several at once; raises as `execute`."""
        try:
            return self._connection.run(sql) or []
        except (DatabaseError, *_BROKEN) as error:
            raise self._told(error) from error

    def close(self) -> None:
        """Let go of it; idempotent."""
        self.broken = True
        with suppress(*_BROKEN):
            self._connection.close()

    def _told(self, error: Exception) -> Exception:
        told = _in_our_words(error) if isinstance(error, DatabaseError) else Away(str(error.__cause__ or error))
        self.broken = self.broken or isinstance(told, Away)
        return told

    def _prepare(self, sql: str) -> PreparedStatement:
        statement = self._prepared.get(sql)
        if statement is not None:
            self._prepared.move_to_end(sql)
            return statement
        if len(self._prepared) >= _PREPARED:
            self._prepared.popitem(last=False)[1].close()
        statement = self._prepared[sql] = self._connection.prepare(in_postgres(sql))
        return statement


def _storable(value: object) -> object:
    """PostgreSQL's texts cannot hold U+0000; what a program wrote may."""
    return value.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(value, str) and "\0" in value else value


def _in_our_words(error: Exception) -> Exception:
    code = _code(error)
    if code.startswith("23"):
        return ConstraintBroken(_message(error))
    if code in _TRY_AGAIN:
        return TryAgain(_message(error))
    if code.startswith("08") or code in _AWAY:
        return Away(_message(error))
    if code == "53100":
        return StoreFull("The disk of the database is full, so nothing was changed. Free space there and try again.")
    return error


def _code(error: Exception) -> str:
    fields = error.args[0] if error.args else None
    return str(fields.get("C", "")) if isinstance(fields, dict) else ""


def _message(error: Exception) -> str:
    fields = error.args[0] if error.args else None
    return str(fields.get("M", fields)) if isinstance(fields, dict) else str(error)
