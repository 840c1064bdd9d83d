"""A socket that is read and written within a deadline, however the bytes trickle."""

import select
import socket
import threading
import time

#: Acknowledge at once what came (Linux; holds for a moment): a server that writes head and body apart would wait 40 ms
#: for it with every answer.
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class TimedSocket:
    """Never blocks but in `poll`, and there no longer than the deadline; one thread at a time, but for `shut`."""

    __slots__ = ("_both", "_closing", "_in", "_is_tcp", "_socket", "deadline")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._closing = threading.Lock()  # else `shut` might meet the number of a connection made meanwhile
        self._is_tcp = sock.family in (socket.AF_INET, socket.AF_INET6)
        if self._is_tcp:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self._in, self._both = select.poll(), select.poll()
        self._in.register(sock, select.POLLIN)
        self._both.register(sock, select.POLLIN | select.POLLOUT)
        self.deadline = 0.0  # of the monotonic clock

    def receive(self, size: int) -> bytes:
        """The next bytes, at most `size`; b"" at the end of the connection. Raises TimeoutError or another OSError."""
        while True:
            self._wait(self._in)
            try:
                return self._socket.recv(size)
            except BlockingIOError:  # somebody else's bytes were announced
                continue

    def acknowledge(self) -> None:
        """Tell the other side now that what it sent has come: more is expected of it."""
        if self._is_tcp and _QUICK_ACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def send_some(self, data: bytes | memoryview) -> int:
        """Send what goes at once, and say how much that was; may raise OSError."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def wait_to_send(self) -> bool:
        """Wait until more can be sent (True), or something came (False); raises TimeoutError."""
        (_, what), *_ = self._wait(self._both)
        return not what & select.POLLIN

    def has_news(self) -> bool:
        """Whether bytes have come, or the end; looks without waiting."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def shut(self) -> None:
        """Break off whatever is going on; from any thread."""
        try:
            with self._closing:
                self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # not connected any more, or closed: that is what was wanted
            pass

    def close(self) -> None:
        """Close it; idempotent."""
        self.shut()
        with self._closing:
            self._socket.close()

    def _wait(self, poll: select.poll) -> list[tuple[int, int]]:
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the deadline has passed")
            if news := poll.poll(left * 1000 + 1):
                return news
