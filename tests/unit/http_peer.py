"""A server that answers HTTP by the byte, as a test says: also what no decent server would send."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as it came: the head line, all headers in their order and spelling, the body."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int  # which one of the connections, from 1
    number: int  # which request of all, from 1

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(slots=True, kw_only=True)
class Reply:
    """Bytes to send, and whether the connection ends then."""

    content: bytes
    close: bool = False


def ok(body: bytes = b"", status: str = "200 OK", *headers: str, close: bool = False) -> Reply:
    """A decent answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return Reply(content=head.encode() + b"\r\n\r\n" + body, close=close)


@dataclass(slots=True)
class Peer:
    """Listens on loopback; `answer` is called for each request, on a thread for each connection."""

    answer: Callable[[Incoming], Reply]
    requests: list[Incoming] = field(default_factory=list)
    connections: int = 0
    busy: int = 0
    busiest: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def connect(self, timeout: float) -> socket.socket:
        """As a runtime connects to a container."""
        return socket.create_connection(self._listener.getsockname(), timeout)

    def end(self) -> None:
        """Die: all connections are reset, no new one is taken."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def until_busy(self, count: int) -> None:
        """Wait until that many requests are being answered at once."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.busiest < count:
            assert time.monotonic() < deadline, f"{self.busiest} requests at once, never {count}"
            time.sleep(0.002)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self.connections += 1
                    self._open.append(connection)
                    number = self.connections
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            while True:
                line = lines.readline().decode().rstrip("\r\n")
                if not line:
                    return
                headers = []
                while header := lines.readline().decode().rstrip("\r\n"):
                    name, _, value = header.partition(": ")
                    headers.append((name, value))
                names = {name.lower(): value for name, value in headers}
                body = b""
                if names.get("transfer-encoding") == "chunked":
                    while size := lines.readline().strip():
                        body += lines.read(int(size, 16))
                        lines.readline()
                        if size == b"0":
                            break
                    else:
                        return  # cut off
                else:
                    body = lines.read(int(names.get("content-length", "0")))
                with self._lock:
                    count = len(self.requests) + 1
                    incoming = Incoming(line=line, headers=tuple(headers), body=body, connection=number, number=count)
                    self.requests.append(incoming)
                    self.busy += 1
                    self.busiest = max(self.busy, self.busiest)
                try:
                    reply = self.answer(incoming)
                finally:
                    with self._lock:
                        self.busy -= 1
                connection.sendall(reply.content)
                if reply.close:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
