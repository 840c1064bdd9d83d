"""How long single requests take, asked one by one at an even pace over one connection."""

import socket
import threading
import time
from collections.abc import Callable

_SIGN_EVERY_SECONDS = 60.0  # a signature is good for a few minutes


class Latency:
    """Asks from its start to its end; `seconds` has how long each answer took, in order."""

    def __init__(self, port: int, sign: Callable[[], bytes], per_second: float = 50.0) -> None:
        self._port, self._sign, self._pause = port, sign, 1.0 / per_second
        self.seconds: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="latency", daemon=True)
        self._thread.start()

    def end(self) -> list[float]:
        """Ask no more; what was measured."""
        self._end.set()
        self._thread.join()
        return self.seconds

    def _ask(self) -> None:
        request, signed_at = self._sign(), time.monotonic()
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._end.wait(self._pause):
                if time.monotonic() - signed_at > _SIGN_EVERY_SECONDS:
                    request, signed_at = self._sign(), time.monotonic()
                began = time.perf_counter()
                connection.sendall(request)
                _receive(connection)
                self.seconds.append(time.perf_counter() - began)


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _receive(connection: socket.socket) -> None:
    """One whole answer, which must be a 200."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"refused: {received[:500]!r}")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].partition(b":")[2]) - len(body)
    while left > 0:
        left -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data
