"""One HTTP/1.1 connection to a serving container, kept alive from request to request.

Requests are written here, so that headers arrive exactly as they were given.
"""

import socket
import time
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from typing import NamedTuple

from sagestone.inference.answer import AnswerReader, CallBroken, Head
from sagestone.inference.spool import Spool
from sagestone.inference.timed_socket import TimedSocket

_TOGETHER = 64 * 1024  # a body up to this size goes out with the head


class CallTimedOut(CallBroken):
    """The answer was not there in time."""


class Request(NamedTuple):
    """A request: `start` is its line and its headers (see `request_start`), without the one that tells its length.

    `pieces` gives its body from the start each time; None: it has no body. `size` None: the body is sent in chunks.
    """

    start: bytes
    pieces: Callable[[], Iterator[bytes | memoryview]] | None = None
    size: int | None = 0


def request_start(method: str, path: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """The first lines of a request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n").encode()


class Answer(NamedTuple):
    """What the container answered."""

    status: int
    phrase: str
    content_type: str
    body: Spool


class Connection:
    """Used by one thread at a time; `shut` may be called from any."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = TimedSocket(sock)
        self._reader = AnswerReader(self._socket)
        self._used = False
        self.reusable = True

    def ask(self, request: Request, *, timeout: float, body: Spool, most: int, deadline: float | None = None) -> Answer:
        """Send the request and read the answer into `body`, all within `timeout` seconds (or by `deadline`).

        Raises CallTimedOut, or CallBroken with what was wrong: no connection any more, not HTTP, an answer that is
        shorter or longer than it said or has more than `most` bytes. What the request's `pieces` raise comes through.
        """
        self._socket.deadline = time.monotonic() + timeout if deadline is None else deadline
        self._reader.received = 0
        try:
            complete = self._send(request, body, most)
            head = self._reader.head()
            self._reader.body(head, body, most)
            if complete and self._reader.has_excess and not head.closes:
                raise CallBroken("the answer has more bytes than its Content-Length says")
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | CallBroken):
                raise self._explained(error, timeout) from error
            raise
        return self._answer(head, body, keeps=complete and not head.closes)

    @property
    def alive(self) -> bool:
        """Whether it can take another request: open at both ends, and nothing unasked for has come."""
        return self.reusable and not self._socket.has_news()

    def shut(self) -> None:
        """Break off whatever is going on."""
        self._socket.shut()

    def close(self) -> None:
        """Close it; idempotent."""
        self.reusable = False
        self._reader.close()
        self._socket.close()

    def _answer(self, head: Head, body: Spool, *, keeps: bool) -> Answer:
        self._used = True
        if not keeps:
            self.close()
        return Answer(head.status, head.phrase, head.content_type, body)

    def _send(self, request: Request, body: Spool, most: int) -> bool:
        """Send all of it, or until an answer comes before the end or the other side takes no more; whether all went."""
        if request.pieces is None:
            return self._push(request.start + b"\r\n", body, most)
        pieces = request.pieces()
        try:
            if request.size is None:
                parts: Iterator[bytes | memoryview] = _chunks(
                    request.start + b"Transfer-Encoding: chunked\r\n\r\n", pieces
                )
                return all(self._push(part, body, most) for part in parts)
            head, first = request.start + b"Content-Length: %d\r\n\r\n" % request.size, next(pieces, b"")
            if len(first) <= _TOGETHER:
                head, first = head + first, b""
            parts = chain([head, first], pieces)
            return all(self._push(part, body, most) for part in parts if part)
        finally:
            if isinstance(pieces, Generator):
                pieces.close()  # what it reads from is let go now, not some time later

    def _push(self, data: bytes | memoryview, body: Spool, most: int) -> bool:
        """Send it; meanwhile take what comes, so that neither side waits for the other for ever.

        False where the other side takes no more: it may have said why before.
        """
        view = memoryview(data)
        try:
            view = view[self._socket.send_some(view) :]
            while view:
                if not self._socket.wait_to_send() and not self._reader.take_early(body, most):
                    return False
                view = view[self._socket.send_some(view) :]
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def _explained(self, error: OSError | CallBroken, timeout: float) -> CallBroken:
        nothing_came = self._reader.received == 0
        if isinstance(error, TimeoutError):
            return CallTimedOut(f"no {'' if nothing_came else 'whole '}answer within {timeout:g} seconds")
        broken = error if isinstance(error, CallBroken) else self._reader.ended()
        return CallBroken(str(broken), stale=broken.stale and self._used)


def _chunks(head: bytes, pieces: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    yield head
    for piece in pieces:
        if piece:
            yield b"".join((b"%x\r\n" % len(piece), piece, b"\r\n"))
    yield b"0\r\n\r\n"
