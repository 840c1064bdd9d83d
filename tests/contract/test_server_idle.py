"""Connections over which nothing comes are ended; those that are at something are not."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.contract.toy_service import Served, toy_service

#: Far less than a service's: what is busy goes on for several times as long.
PATIENCE_SECONDS = 0.4


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with toy_service(idle_seconds=PATIENCE_SECONDS) as service:
        yield service


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: ", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["nothing", "half a head", "a whole request before"],
)
def test_a_connection_without_a_request_is_ended(served: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(sent)
        heard = b""
        while data := connection.recv(1000):
            heard += data
    assert heard.startswith(b"HTTP/1.1 200" if sent.endswith(b"\r\n\r\n") else b"")


def test_a_body_that_comes_slowly_is_waited_for(served: Served) -> None:
    body = b"x" * 10
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListAlgorithms\r\nContent-Length: 10\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(head)
        for byte in body:
            time.sleep(PATIENCE_SECONDS / 2)
            connection.sendall(bytes((byte,)))
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")  # it is not signed


def test_many_strangers_with_half_a_head_leave_room(served: Served) -> None:
    strangers = [socket.create_connection(("127.0.0.1", served.port), timeout=60) for _ in range(100)]
    try:
        for stranger in strangers:
            stranger.sendall(b"POST / HTTP/1.1\r\n")
        assert served.send("GET", "/health")[0] == 200
        assert [stranger.recv(1) for stranger in strangers] == [b""] * len(strangers)
    finally:
        for stranger in strangers:
            stranger.close()


def test_who_does_not_read_the_answers_is_ended(served: Served) -> None:
    asked = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_SECONDS) as connection:
        with suppress(TimeoutError, ConnectionError):
            while True:  # until the answers that nobody reads hold up the server
                connection.sendall(asked)
        ended = select.poll()
        ended.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        assert ended.poll(60_000)
