"""The way from a container to the service: bytes pass as they are, and a program cannot use it up."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sagestone.agent.relay import Relay


@pytest.fixture
def ends() -> Iterator[tuple[tuple[str, int], socket.socket]]:
    """Where a program connects to, and the service that listens behind the relay."""
    with (
        socket.create_server(("127.0.0.1", 0)) as inside,
        socket.create_server(("127.0.0.1", 0), backlog=256) as service,
    ):
        service.settimeout(30)
        relay = Relay(inside, service.getsockname)
        yield inside.getsockname(), service
        relay.close()


def test_bytes_pass_both_ways_and_so_do_ends(ends: tuple[tuple[str, int], socket.socket]) -> None:
    address, service = ends
    with socket.create_connection(address, 30) as program:
        program.sendall(b"question")
        program.shutdown(socket.SHUT_WR)
        outside, _ = service.accept()
        with outside:
            assert outside.makefile("rb").read() == b"question"
            outside.sendall(b"answer")
        assert program.makefile("rb").read() == b"answer"


def test_a_closed_relay_takes_no_connection_and_lets_go_of_its_port() -> None:
    inside = socket.create_server(("127.0.0.1", 0))
    address = inside.getsockname()
    relay = Relay(inside, lambda: address)
    relay.close()
    relay.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 30)
    deadline = time.monotonic() + 60
    while inside.fileno() >= 0:  # the thread that waited in it closes it
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_idle_connections_without_end_cost_no_more_than_some(ends: tuple[tuple[str, int], socket.socket]) -> None:
    address, service = ends
    with ExitStack() as opened:
        programs = [opened.enter_context(socket.create_connection(address, 30)) for _ in range(64)]
        served = [opened.enter_context(service.accept()[0]) for _ in programs]
        for _ in range(100):
            with socket.create_connection(address, 30) as refused:
                assert refused.recv(1) == b""
        service.settimeout(0.05)
        with pytest.raises(TimeoutError):
            service.accept()
        service.settimeout(30)
        for each in (*programs, *served):
            each.close()
        for _ in range(1000):  # until the relay has noticed
            with socket.create_connection(address, 30) as program:
                program.sendall(b"x")
                service.settimeout(0.05)
                try:
                    outside, _ = service.accept()
                except TimeoutError:
                    continue
                outside.close()
                return
        pytest.fail("the relay takes no connection any more")
