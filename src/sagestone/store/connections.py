"""Connections to one database file: a single writer, and a reader for every thread that asks."""

import os
import sqlite3
import threading
import time
from pathlib import Path


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that may write; the file is made for its owner only. Durable at every commit."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)  # also when it existed; the -wal and -shm files take it over
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.create_function("epoch", 0, time.time)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


class Readers:
    """One read-only connection per thread, made at its first read. A read never waits for the writer."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, sqlite3.Connection] = {}
        self._closed = False

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; raises sqlite3.ProgrammingError after close()."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        return connection if connection is not None else self._connect()

    def close(self) -> None:
        """Close all of them; reads that come later fail."""
        with self._lock:
            self._closed = True
            for connection in self._open.values():
                connection.close()
            self._open.clear()

    def _connect(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the store is closed")
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._open.pop(thread).close()
            connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
            self._open[threading.current_thread()] = connection
        self._local.connection = connection
        return connection
