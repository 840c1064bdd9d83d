"""A connection to the service, and what comes back over it."""

import re
import select
import socket
from contextlib import suppress
from dataclasses import dataclass

#: How long an answer may take: longer than the service waits for the rest of a body (a minute), whatever else it does.
PATIENCE_SECONDS = 90.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_ANY_STATUS = re.compile(rb"(?:^|\n|>|\}|\x00)HTTP/1\.[01] (5\d\d) ")


class Hang(Exception):
    """Neither an answer nor the end of the connection within PATIENCE_SECONDS."""


class Closed(Exception):
    """The connection ended without a whole answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer."""

    status: int
    head: bytes
    body: bytes


class Connection:
    """Kept alive from request to request, opened again where it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._data = b""

    def ask(self, request: bytes, *, head: bool = False) -> Reply:
        """Raises Hang or Closed; a kept connection that was closed meanwhile is opened again, once."""
        was_kept = self._socket is not None
        try:
            return self._ask(request, head)
        except Closed:
            self.close()
            if not was_kept:
                raise
            return self._ask(request, head)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._data = None, b""

    def _ask(self, request: bytes, head: bool) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):  # refused before all of it was read: the answer is there all the same
            try:
                self._socket.sendall(request)
            except TimeoutError:
                raise Hang("the request is not read") from None
        while True:
            reply = self._reply(head)
            if reply.status >= 200:
                if b"\r\nconnection: close" in reply.head.lower():
                    self.close()
                return reply

    def _reply(self, head: bool) -> Reply:
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            self._more()
        text, self._data = self._data[:end], self._data[end + 4 :]
        status = _STATUS.match(text)
        if status is None:
            raise Closed(f"no HTTP: {text[:200]!r}")
        length = _LENGTH.search(text)
        left = 0 if head or length is None or status[1] in (b"304", b"204", b"100") else int(length[1])
        while len(self._data) < left:
            self._more()
        body, self._data = self._data[:left], self._data[left:]
        return Reply(status=int(status[1]), head=text, body=body)

    def _more(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(1 << 18)
        except TimeoutError:
            raise Hang("no answer") from None
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("the connection was closed without an answer")
        self._data += data


def say(port: int, pieces: list[bytes], quiet_seconds: float) -> bytes:
    """Everything that comes back on a connection of its own, over which the pieces were sent; raises Hang.

    When nothing came for `quiet_seconds`, the sending side is closed, and the service has to end the connection.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as ours:
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = bytearray()
        try:
            with suppress(ConnectionError):
                for piece in pieces:
                    ours.sendall(piece)
                while select.select([ours], [], [], quiet_seconds)[0]:
                    data = ours.recv(1 << 18)
                    if not data:
                        return bytes(heard)
                    heard += data
                ours.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                while data := ours.recv(1 << 18):
                    heard += data
        except TimeoutError:
            raise Hang("neither an answer nor the end of the connection") from None
        return bytes(heard)


def server_errors(heard: bytes) -> list[int]:
    """The 5xx among the answers in what was heard."""
    return [int(status) for status in _ANY_STATUS.findall(heard)]
