"""One HTTP/1.1 connection to a serving container, kept alive from request to request.

The request is written here, so that headers arrive exactly as they were given; the answer is read by `http.client`.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from sagestone.inference.spool import Spool
from sagestone.inference.timed_socket import TimedReader, send_all

_DIRECT = 64 * 1024  # a body up to this size goes out before the answer is looked at
_READ = 256 * 1024
_SENDER_PATIENCE_SECONDS = 0.2  # for the sender to notice that it has sent everything


class CallBroken(Exception):
    """There was no whole answer; `stale` says that a kept connection was closed before the request got anywhere."""

    def __init__(self, text: str, *, stale: bool = False) -> None:
        super().__init__(text)
        self.stale = stale


class CallTimedOut(CallBroken):
    """The answer was not there in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; `pieces` gives its body from the start each time. `size` None: the body is sent in chunks."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Callable[[], Iterator[bytes]] | None = None
    size: int | None = 0

    def head(self) -> bytes:
        """The request line and the headers, with the one that tells how long the body is."""
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        if self.size is None:
            lines.append("Transfer-Encoding: chunked")
        elif self.pieces is not None:
            lines.append(f"Content-Length: {self.size}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the container answered."""

    status: int
    phrase: str
    content_type: str
    body: Spool


class Connection:
    """Used by one thread at a time; `shut` may be called from any."""

    def __init__(self, sock: socket.socket) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._reader = TimedReader(sock)
        self._used = False
        self.reusable = True

    def ask(self, request: Request, *, timeout: float, body: Spool, most: int, deadline: float | None = None) -> Answer:
        """Send the request and read the answer into `body`, all within `timeout` seconds (or by `deadline`).

        Raises CallTimedOut, or CallBroken with what was wrong: no connection any more, not HTTP, an answer that is
        shorter or longer than it said or has more than `most` bytes. What the request's `pieces` raise comes through.
        """
        deadline = time.monotonic() + timeout if deadline is None else deadline
        self._reader.begin(deadline)
        sender = _Sender(self._socket, request, deadline)
        try:
            sender.start()
            response = http.client.HTTPResponse(self._reader, method=request.method)  # type: ignore[arg-type]
            response.begin()
            self._read(response, body, most)
            complete = sender.finish(_SENDER_PATIENCE_SECONDS)
            self.reusable = complete and not response.will_close and not self._reader.excess()
            if complete and self._reader.has_excess:
                raise CallBroken("the answer has more bytes than its Content-Length says")
        except (OSError, http.client.HTTPException, ValueError, CallBroken) as error:
            self.close()
            sender.finish(_SENDER_PATIENCE_SECONDS)
            if sender.source_error is not None:
                raise sender.source_error from error
            raise self._explained(error, timeout) from error
        except BaseException:
            self.close()
            raise
        self._used = True
        if not self.reusable:
            self.close()
        content_type = response.headers.get("Content-Type", "")
        return Answer(status=response.status, phrase=response.reason, content_type=content_type, body=body)

    @property
    def alive(self) -> bool:
        """Whether it can take another request: open at both ends, and nothing unasked for has come."""
        return self.reusable and not self._reader.excess() and not self._reader.ended

    def shut(self) -> None:
        """Break off whatever is going on."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # not connected any more: that is what was wanted
            pass

    def close(self) -> None:
        """Close it; idempotent."""
        self.reusable = False
        self.shut()
        self._socket.close()

    def _read(self, response: http.client.HTTPResponse, body: Spool, most: int) -> None:
        while data := response.read(_READ):
            body.write(data)
            if body.size > most:
                raise CallBroken(f"the answer has more than {most} bytes")
        if response.length:
            raise CallBroken(f"the answer ended {response.length} bytes before its Content-Length")

    def _explained(self, error: Exception, timeout: float) -> CallBroken:
        nothing_came = self._reader.received == 0
        if isinstance(error, CallBroken):
            return error
        if isinstance(error, TimeoutError):
            return CallTimedOut(f"no {'' if nothing_came else 'whole '}answer within {timeout:g} seconds")
        if isinstance(error, http.client.RemoteDisconnected | OSError):
            if nothing_came:
                return CallBroken("the connection was closed without an answer", stale=self._used)
            return CallBroken("the connection was closed in the middle of the answer")
        if isinstance(error, http.client.IncompleteRead):
            return CallBroken("the answer was cut off")
        return CallBroken(f"the answer is not HTTP: {type(error).__name__}: {error}"[:300])


class _Sender:
    """Writes a request: a short one at once, a long one beside the reading, since an answer may come before its end."""

    def __init__(self, sock: socket.socket, request: Request, deadline: float) -> None:
        self._socket, self._request, self._deadline = sock, request, deadline
        self._thread: threading.Thread | None = None
        self._complete = False
        self.source_error: Exception | None = None

    def start(self) -> None:
        request = self._request
        if request.pieces is None or (request.size is not None and request.size <= _DIRECT):
            content = b"".join(request.pieces()) if request.pieces is not None else b""
            try:
                self._send(request.head() + content)
                self._complete = True
            except _Unsent:
                return  # an answer may have come before the other side stopped listening
        else:
            self._thread = threading.Thread(target=self._send_body, name="request-body", daemon=True)
            self._thread.start()

    def finish(self, timeout: float | None) -> bool:
        """Wait for the end of the sending; whether everything was sent."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._complete

    def _send_body(self) -> None:
        pieces: Iterator[bytes] = iter(())
        try:
            self._send(self._request.head())
            assert self._request.pieces is not None
            pieces = self._request.pieces()
            if self._request.size is None:
                self._send_chunks(pieces)
            else:
                for piece in pieces:
                    self._send(piece)
            self._complete = True
        except _Unsent:
            return  # the reader sees the same end, or the answer that came before it
        except Exception as error:  # noqa: BLE001 handed to the thread that asked
            self.source_error = error
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        finally:
            if isinstance(pieces, Generator):
                pieces.close()  # what it reads from is let go now, not some time later

    def _send_chunks(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            if piece:
                self._send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        self._send(b"0\r\n\r\n")

    def _send(self, data: bytes) -> None:
        try:
            send_all(self._socket, data, self._deadline)
        except OSError as error:
            raise _Unsent from error


class _Unsent(Exception):
    """The other side takes no more bytes, or not in time."""
