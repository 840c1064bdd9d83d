"""Reading and writing a socket within a deadline, however the bytes trickle."""

import io
import socket
import time

#: Acknowledge at once what comes (Linux; holds until the next reading): a server that writes head and body apart would
#: wait 40 ms for it with every answer.
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def send_all(sock: socket.socket, data: bytes, deadline: float) -> None:
    """Send everything by `deadline` (of the monotonic clock); raises TimeoutError or another OSError."""
    view = memoryview(data)
    while view:
        sock.settimeout(_left(deadline))
        view = view[sock.send(view) :]


class TimedReader:
    """The reading side of a connection for `http.client`: one buffer over all answers, one deadline for each."""

    def __init__(self, sock: socket.socket) -> None:
        self._raw = _Raw(sock)
        self._buffer = _Unclosed(self._raw, 64 * 1024)
        self.has_excess = False

    def begin(self, deadline: float) -> None:
        """Expect an answer, whole by `deadline`."""
        self._raw.deadline, self._raw.received = deadline, 0

    @property
    def received(self) -> int:
        """Bytes that came since `begin`."""
        return self._raw.received

    @property
    def ended(self) -> bool:
        """Whether the other side has ended the connection."""
        return self._raw.ended

    def excess(self) -> bool:
        """Whether bytes have come that belong to no answer; looks without waiting, and so also notices an end."""
        self._raw.looking = True
        try:
            self.has_excess = self.has_excess or bool(self._buffer.peek(1))
        except OSError:
            self._raw.ended = True
        finally:
            self._raw.looking = False
        return self.has_excess

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `http.client.HTTPResponse` asks of a socket."""
        return self._buffer


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._is_tcp = sock.family in (socket.AF_INET, socket.AF_INET6)
        self.deadline = 0.0
        self.received = 0
        self.ended = self.looking = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._socket.settimeout(0 if self.looking else _left(self.deadline))
        try:
            if self._is_tcp and _QUICK_ACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
            count = self._socket.recv_into(buffer)
        except BlockingIOError:
            return None
        self.received += count
        self.ended = self.ended or count == 0
        return count


class _Unclosed(io.BufferedReader):
    """Stays open when an answer is closed: the next one follows in the same buffer."""

    def close(self) -> None:
        pass


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
