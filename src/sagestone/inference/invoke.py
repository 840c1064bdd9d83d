"""Sends requests to `/invocations` of the container, several at once over kept connections, with repetitions."""

import http
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagestone.containers.runtime import Exit, RuntimeFailure
from sagestone.domain.failure import Fault
from sagestone.inference.answer import CallBroken
from sagestone.inference.connection import Answer, Connection, Request, request_start
from sagestone.inference.spool import NewSpool
from sagestone.inference.words import own_words

#: The port that serving containers listen on, unless they are told another.
PORT = 8080

_CONNECT_SECONDS = 10.0
_PAUSES = (0.2, 1.0, 3.0)  # before the first, second, third repetition
_EXIT_PATIENCE_SECONDS = 1.0  # a container whose connections break may be about to be seen ended
_KEPT_OF_ERROR = 64 * 1024


def standard_headers(port: int) -> tuple[tuple[str, str], ...]:
    """The headers that every request carries."""
    return (("Host", f"localhost:{port}"), ("User-Agent", "Sagestone"))


class CallFailed(Exception):
    """A request has no usable answer, after all repetitions; the text says so in a sentence without a subject."""

    def __init__(self, text: str, *, fault: Fault, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(text)
        self.fault, self.status, self.body = fault, status, body


class ContainerEnded(Exception):
    """The container has ended, so no request can be answered any more; `where` is what was to be answered.

    `subject` says which container, where there are several.
    """

    def __init__(self, exit_: Exit, where: str = "", *, subject: str = "container") -> None:
        super().__init__(f"the {subject} has ended with exit code {exit_.code}")
        self.exit, self.where, self.subject = exit_, where, subject


class Closed(Exception):
    """The invoker was closed while the call went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """How requests are made: the headers exactly as given (None: left out), and the limits of ModelClientConfig.

    `subject` is how sentences call the container, of a pipeline with its name.
    """

    content_type: str | None
    accept: str | None
    timeout_seconds: float
    max_retries: int
    most_answer_bytes: int
    port: int = PORT
    subject: str = "container"

    def start(self, content_type: str | None) -> bytes:
        """The first lines of a request, all but its length."""
        own = (("Content-Type", content_type), ("Accept", self.accept))
        given = tuple((name, value) for name, value in own if value is not None)
        return request_start("POST", "/invocations", standard_headers(self.port) + given)


class Invoker:
    """Calls may be made from any thread; each uses a connection of its own for as long as it lasts.

    1. A status of 200 or 204 is an answer. 5xx, 429, timeouts and broken connections are repeated `max_retries` times,
       with a growing pause; any other status is final.
    2. A kept connection that turns out to have been closed is replaced once without counting as a repetition.
    3. When the container has ended, calls raise ContainerEnded at once, whatever they were waiting for.
    """

    def __init__(
        self,
        connect: Callable[[float], socket.socket],
        calling: Calling,
        *,
        new_spool: NewSpool,
        wait_exit: Callable[[float], Exit | None],
    ) -> None:
        """`connect` gives a socket within so many seconds; `wait_exit` waits so long for the container's end."""
        self._connect, self._calling, self._new_spool, self._wait_exit = connect, calling, new_spool, wait_exit
        self._start = calling.start(calling.content_type)
        self._whose = "" if calling.subject == "container" else f"the {calling.subject}: "
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = False

    def invoke(
        self, pieces: Callable[[], Iterator[bytes | memoryview]], size: int | None, *, content_type: str | None = None
    ) -> Answer:
        """Send a body (`size` None: in chunks) and give the answer; raises CallFailed, ContainerEnded or Closed.

        `pieces` is called again for every repetition; what it raises comes through. `content_type` stands for that of
        `calling` where it is given.
        """
        start = self._start if content_type is None else self._calling.start(content_type)
        request = Request(start, pieces, size)
        for attempt in range(self._calling.max_retries + 1):
            if attempt:
                self._pause(_PAUSES[min(attempt, len(_PAUSES)) - 1])
            try:
                answer = self._ask(request)
            except CallBroken as error:
                self._pause(_EXIT_PATIENCE_SECONDS if attempt == self._calling.max_retries else 0.0)
                failed = CallFailed(f"{self._whose}{error}{_attempts(attempt)}", fault="algorithm")
                continue
            if answer.status in (200, 204):
                return answer
            failed = _refused(self._calling.subject, answer, attempt)
            answer.body.close()
            if answer.status < 500 and answer.status != 429:
                break
        raise failed

    def shut(self) -> None:
        """Break off every call that is going on: they look at once whether the container has ended."""
        with self._lock:
            for connection in self._busy:
                connection.shut()

    def close(self) -> None:
        """Break off every call that is going on, and take no more."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self.shut()

    def _ask(self, request: Request) -> Answer:
        """One attempt, on a kept connection first where there is one."""
        timeout, most = self._calling.timeout_seconds, self._calling.most_answer_bytes
        deadline = time.monotonic() + timeout
        while True:
            connection, kept = self._take(deadline)
            body = self._new_spool()
            try:
                answer = connection.ask(request, timeout=timeout, body=body, most=most, deadline=deadline)
            except BaseException as error:
                body.close()
                self._give_back(connection)
                if isinstance(error, CallBroken) and error.stale and kept and not self._closed:
                    continue
                raise
            self._give_back(connection)
            return answer

    def _take(self, deadline: float) -> tuple[Connection, bool]:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.alive:
                    self._busy.add(connection)
                    return connection, True
                connection.close()
        try:
            connection = Connection(self._connect(min(_CONNECT_SECONDS, max(0.001, deadline - time.monotonic()))))
        except (OSError, RuntimeFailure) as error:
            raise CallBroken(f"port {self._calling.port} of the container takes no connection: {error}") from error
        with self._lock:
            self._busy.add(connection)
            if self._closed:
                connection.shut()
        return connection, False

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            if connection.reusable and not self._closed:
                self._idle.append(connection)
            else:
                connection.close()

    def _pause(self, seconds: float) -> None:
        """Wait, but not for a container that has ended or an invoker that was closed."""
        end = time.monotonic() + seconds
        while True:
            if self._closed:
                raise Closed
            exit_ = self._wait_exit(min(0.1, max(0.0, end - time.monotonic())))
            if exit_ is not None:
                raise ContainerEnded(exit_)
            if time.monotonic() >= end:
                return


def _refused(subject: str, answer: Answer, attempt: int) -> CallFailed:
    fault: Fault = "client" if 400 <= answer.status < 500 else "algorithm"
    body = answer.body.head(_KEPT_OF_ERROR)
    words = own_words(body, answer.content_type)
    said = f': "{words}"' if words else " with an empty body"
    text = f"the {subject} answered HTTP {answer.status}{_phrase(answer)}{said}{_attempts(attempt)}"
    return CallFailed(text, fault=fault, status=answer.status, body=body)


def _phrase(answer: Answer) -> str:
    try:
        return f" {answer.phrase or http.HTTPStatus(answer.status).phrase}"[:60]
    except ValueError:
        return ""


def _attempts(attempt: int) -> str:
    return f" (after {attempt + 1} attempts)" if attempt else ""
