"""Lets a container reach the service, which listens on the machine's own loopback: by a port on the container's."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

_CHUNK = 1 << 16
_CONNECT_SECONDS = 10.0
_MOST_CONNECTIONS = 64  # each costs the agent two threads and the service a descriptor


class Relay:
    """Passes every connection to `listener` on to where `target` says, byte by byte, until it is closed.

    Of more than 64 at once the later ones are closed: a program cannot use up the agent, nor the service.
    """

    def __init__(self, listener: socket.socket, target: Callable[[], tuple[str, int]]) -> None:
        self._listener, self._target = listener, target
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with their own ends. Idempotent."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept, which then closes it

    def _accept(self) -> None:
        with self._listener:
            self._accept_until_shut()

    def _accept_until_shut(self) -> None:
        while True:
            try:
                inside, _ = self._listener.accept()
            except OSError:
                return  # shut
            if self._room.acquire(blocking=False):
                threading.Thread(target=self._serve, args=(inside,), name="relay-connection", daemon=True).start()
            else:
                inside.close()

    def _serve(self, inside: socket.socket) -> None:
        try:
            self._connect(inside)
        finally:
            self._room.release()

    def _connect(self, inside: socket.socket) -> None:
        try:
            outside = socket.create_connection(self._target(), _CONNECT_SECONDS)
        except (OSError, ValueError):  # no service runs now: the container's client tries again, or says so
            inside.close()
            return
        outside.settimeout(None)
        back = threading.Thread(target=_carry, args=(outside, inside), name="relay-back", daemon=True)
        back.start()
        _carry(inside, outside)
        back.join()
        inside.close()
        outside.close()


def endpoint_of(file: Path) -> str:
    """Where the service of this home is reached from this machine; raises OSError or ValueError where none runs."""
    return str(json.loads(file.read_text())["inside"])


def address_of(endpoint: str) -> tuple[str, int]:
    """Host and port of `http://HOST:PORT`; a service that listens everywhere is reached on the loopback."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), parts.port or 80


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
