"""Waits until a serving container is ready (`GET /ping`), and asks how it wants its requests."""

import socket
import time
from collections.abc import Callable

from sagestone.containers.runtime import RuntimeFailure
from sagestone.inference.answer import CallBroken
from sagestone.inference.connection import Answer, Connection, Request, request_start
from sagestone.inference.invoke import PORT, standard_headers
from sagestone.inference.spool import NewSpool

_PING_SECONDS = 2.0  # documented for one ping
_FIRST_PAUSE, _PAUSE_FACTOR, _LONGEST_PAUSE = 0.05, 1.5, 1.0
_PARAMETERS_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024

#: What the service says of a container that never gets ready.
PING_FAILED = (
    "Model container failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an HTTP "
    "200 status code"
)

Connect = Callable[[float], socket.socket]


class NotReady(Exception):
    """The container did not get ready in time; the text says what the last ping met."""


def wait_until_ready(
    connect: Connect,
    *,
    deadline: float,
    pause: Callable[[float], None],
    new_spool: NewSpool,
    port: int = PORT,
) -> None:
    """Ping until the answer is 200: often at first, then about once a second; raises NotReady at the deadline.

    `deadline` is of the monotonic clock. `pause` waits so many seconds between two pings and may raise to break off
    (the container has ended, or a stop).
    """
    wait = _FIRST_PAUSE
    while True:
        try:
            answer = _get(connect, "/ping", _PING_SECONDS, new_spool, port)
            answer.body.close()
            if answer.status == 200:
                return
            met = f"/ping answered HTTP {answer.status}"
        except (CallBroken, RuntimeFailure, OSError) as error:
            met = f"the last ping of port {port} met: {error}"
        if time.monotonic() + wait >= deadline:
            raise NotReady(met)
        pause(wait)
        wait = min(wait * _PAUSE_FACTOR, _LONGEST_PAUSE)


def ask_parameters(connect: Connect, new_spool: NewSpool, port: int = PORT) -> tuple[bytes | None, str | None]:
    """The body of `/execution-parameters`, None unless its status is 200; and a sentence where there was no answer."""
    try:
        answer = _get(connect, "/execution-parameters", _PARAMETERS_SECONDS, new_spool, port)
    except (CallBroken, RuntimeFailure, OSError) as error:
        return None, f"/execution-parameters is ignored: {error}"
    body = b"".join(answer.body.pieces())
    answer.body.close()
    return (body if answer.status == 200 else None), None


def _get(connect: Connect, path: str, timeout: float, new_spool: NewSpool, port: int) -> Answer:
    connection = Connection(connect(timeout))
    try:
        request = Request(request_start("GET", path, (*standard_headers(port), ("Connection", "close"))))
        return connection.ask(request, timeout=timeout, body=new_spool(), most=_MOST_BYTES)
    finally:
        connection.close()
