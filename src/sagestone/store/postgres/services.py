"""The services that share a database: who lives, whose a job is, and telling each other to look.

A service is known by the id of its home. A job belongs to the service that has its instances, for they live on its
machine; everything else is for whoever takes the lease. All times are the database's.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sagestone.store.database import Connection
from sagestone.store.interface import Orphan, StoreFull, StoreUnavailable
from sagestone.store.postgres.pool import PostgresDatabase

_LOG = logging.getLogger(__name__)

#: How often a service asks whether it was told to look, and how often it says that it lives.
_LOOK_SECONDS: Final = 0.25
_BEAT_SECONDS: Final = 5.0
#: Without a beat for so long it is not counted among those that one has to agree with.
_RECENT_SECONDS: Final = 30.0

_OURS: Final = (
    "(home IS NULL OR home = ?) AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.key = kind || '/' || name"
    " AND split_part(leases.holder, '.', 1) <> ? AND leases.expires_at > epoch())"
)


class Disagreement(Exception):
    """Another service on the same database is set up differently where both must be alike; the text says in what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """This service: the id of its home, its machine's name, what all services must have alike, and how many seconds
    without a beat make another one gone. Leases are held by words that begin with `home` and a dot."""

    home: str
    host: str
    agreed: Mapping[str, str]
    patience_seconds: float


class Services:
    """`sagestone.store.neighbours.Neighbours` on PostgreSQL."""

    def __init__(self, database: PostgresDatabase, member: Member) -> None:
        self._database, self._member = database, member
        self._told = 0
        self._has_news = False
        self._hint: Callable[[], None] | None = None
        self._steady_since = time.monotonic()
        self._ending = threading.Event()
        self._beat_at = 0.0
        database.write(self._join)
        self._thread = threading.Thread(target=self._run, name="services", daemon=True)
        self._thread.start()

    @property
    def ours(self) -> tuple[str, Sequence[Any]]:
        return _OURS, (self._member.home, self._member.home)

    def keep_place(self, connection: Connection, key: str, placed: bool) -> None:
        kind, _, name = key.partition("/")
        home = self._member.home if placed else None
        connection.execute("UPDATE resources SET home = ? WHERE kind = ? AND name = ?", (home, kind, name))

    def void_leases(self, connection: Connection) -> None:
        connection.execute("DELETE FROM leases WHERE split_part(holder, '.', 1) = ?", (self._member.home,))

    def orphans(self) -> Sequence[Orphan]:
        """None before this service itself has reached the database for as long as it waits for others: after a time
        without the database nobody has been heard of."""
        if time.monotonic() - self._steady_since < self._member.patience_seconds:
            return []
        found = self._database.reader().execute(
            "SELECT kind || '/' || name, coalesce(host, 'a machine that is not known any more'), coalesce(heard_at, 0)"
            " FROM resources LEFT JOIN services ON services.home = resources.home"
            " WHERE unfinished = 1 AND resources.home <> ?"
            " AND coalesce(heard_at, 0) < epoch() - CAST(? AS DOUBLE PRECISION) ORDER BY id",
            (self._member.home, self._member.patience_seconds),
        )
        return [Orphan(key=key, host=host, heard_at=heard_at) for key, host, heard_at in found]

    def tell(self) -> None:
        self._has_news = True

    def watch(self, hint: Callable[[], None]) -> None:
        self._hint = hint

    def close(self) -> None:
        """Its jobs stay its own for as long as it may come back; nobody has to agree with it any more."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join()
        with suppress(StoreUnavailable, StoreFull):
            self._database.write(self._leave)

    def _join(self, connection: Connection) -> None:
        connection.execute("LOCK TABLE services IN SHARE ROW EXCLUSIVE MODE")
        others = connection.execute(
            "SELECT host, agreed FROM services WHERE home <> ? AND heard_at > epoch() - CAST(? AS DOUBLE PRECISION)",
            (self._member.home, _RECENT_SECONDS),
        )
        for host, agreed in others:
            _compare(self._member.agreed, json.loads(agreed), host)
        ((self._told,),) = connection.execute(
            "INSERT INTO services (home, host, agreed, heard_at) VALUES (?, ?, ?, epoch()) ON CONFLICT (home) DO UPDATE"
            " SET host = excluded.host, agreed = excluded.agreed, heard_at = excluded.heard_at RETURNING told",
            (self._member.home, self._member.host, json.dumps(dict(self._member.agreed))),
        )

    def _leave(self, connection: Connection) -> None:
        connection.execute(
            "UPDATE services SET agreed = '{}', heard_at = epoch() WHERE home = ?", (self._member.home,)
        )  # fmt: skip

    def _run(self) -> None:
        away = False
        while not self._ending.wait(_LOOK_SECONDS):
            try:
                self._look()
            except (StoreUnavailable, StoreFull) as error:
                if not away:
                    _LOG.error("%s; it is tried again", error)
                away, self._steady_since = True, time.monotonic()
            except Exception:  # noqa: BLE001 (logged with its traceback; the others must go on hearing of us)
                _LOG.exception("the services on the database could not be looked at")
                self._steady_since = time.monotonic()
            else:
                if away:
                    _LOG.info("the database answers again")
                    self._tell_us()
                away = False

    def _look(self) -> None:
        """Say that we live, tell the others, hear what they told."""
        now = time.monotonic()
        if now - self._beat_at >= min(_BEAT_SECONDS, self._member.patience_seconds / 4):
            self._database.write(self._beat)
            self._beat_at = now
        if self._has_news:
            self._has_news = False
            self._database.write(self._tell_others)
        row = self._database.reader().execute(
            "SELECT told FROM services WHERE home = ?", (self._member.home,)
        ).fetchone()  # fmt: skip
        if row is not None and row[0] != self._told:
            self._told = row[0]
            self._tell_us()

    def _beat(self, connection: Connection) -> None:
        connection.execute("UPDATE services SET heard_at = epoch() WHERE home = ?", (self._member.home,))

    def _tell_others(self, connection: Connection) -> None:
        connection.execute("UPDATE services SET told = told + 1 WHERE home <> ?", (self._member.home,))

    def _tell_us(self) -> None:
        if self._hint is not None:
            self._hint()


def _compare(ours: Mapping[str, str], theirs: Mapping[str, str], host: str) -> None:
    different = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if different:
        told = "; ".join(f"{name} is {ours[name]} here and {theirs[name]} there" for name in different)
        raise Disagreement(f"The service on {host} uses the same database, and is set up differently: {told}.")
