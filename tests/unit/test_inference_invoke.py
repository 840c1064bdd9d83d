"""Requests against a real peer: what is sent to the byte, what is repeated, what is refused, and how calls end."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.containers.runtime import Exit
from sagestone.inference.invoke import CallFailed, Calling, Closed, ContainerEnded, Invoker
from sagestone.inference.spool import Spool
from sagestone.inference.words import own_words
from tests.unit.http_peer import Incoming, Peer, Reply, ok

SCRATCH = Path(tempfile.gettempdir())


class End:
    """The end of a container that a test decides about."""

    def __init__(self) -> None:
        self.happened = threading.Event()

    def wait(self, seconds: float) -> Exit | None:
        return Exit(code=3) if self.happened.wait(min(seconds, 0.01)) else None


def invoker(
    peer: Peer,
    *,
    content_type: str | None = "text/csv",
    accept: str | None = None,
    timeout: float = 10.0,
    retries: int = 0,
    most: int = 1 << 30,
    end: End | None = None,
) -> Invoker:
    calling = Calling(
        content_type=content_type, accept=accept, timeout_seconds=timeout, max_retries=retries, most_answer_bytes=most
    )
    wait = (end or End()).wait
    return Invoker(peer.connect, calling, new_spool=lambda: Spool(SCRATCH, 1000), wait_exit=wait)


def invoke(caller: Invoker, body: bytes = b"1,2\n", *, chunked: bool = False) -> bytes:
    answer = caller.invoke(lambda: iter([body[:3], body[3:]]), None if chunked else len(body))
    content = b"".join(answer.body.pieces())
    answer.body.close()
    return content


def test_the_request_is_exactly_as_given() -> None:
    with Peer(lambda incoming: ok(b"0.5\n")) as peer:
        assert invoke(invoker(peer, content_type="text/csv", accept="application/jsonlines")) == b"0.5\n"
        (request,) = peer.requests
    assert request.line == "POST /invocations HTTP/1.1"
    assert request.body == b"1,2\n"
    assert request.headers == (
        ("Host", "localhost:8080"),
        ("User-Agent", "Sagestone"),
        ("Content-Type", "text/csv"),
        ("Accept", "application/jsonlines"),
        ("Content-Length", "4"),
    )


def test_headers_that_were_not_given_are_not_sent() -> None:
    with Peer(lambda incoming: ok()) as peer:
        invoke(invoker(peer, content_type=None))
        assert [name for name, _ in peer.requests[0].headers] == ["Host", "User-Agent", "Content-Length"]


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_any_size_go_and_come_back(size: int, chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    with Peer(lambda incoming: ok(incoming.body)) as peer:
        assert invoke(invoker(peer), body[:size], chunked=chunked) == body[:size]
        assert peer.requests[0].header("Transfer-Encoding") == ("chunked" if chunked else None)


def test_chunked_answers_and_those_that_end_with_the_connection_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    replies = [Reply(content=chunked), Reply(content=b"HTTP/1.0 200 OK\r\n\r\nuntil the end", close=True), ok(b"last")]
    with Peer(lambda incoming: replies[incoming.number - 1]) as peer:
        caller = invoker(peer)
        assert [invoke(caller) for _ in replies] == [b"abcde", b"until the end", b"last"]
        assert [request.connection for request in peer.requests] == [1, 1, 2]


def test_a_connection_is_kept_and_204_is_an_empty_answer() -> None:
    with Peer(lambda incoming: Reply(content=b"HTTP/1.1 204 No Content\r\n\r\n")) as peer:
        caller = invoker(peer)
        assert [invoke(caller) for _ in range(5)] == [b""] * 5
        assert peer.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced_without_counting() -> None:
    """The peer closes after each answer, though it says nothing about it."""
    with Peer(lambda incoming: ok(b"x", close=True)) as peer:
        caller = invoker(peer, retries=0)
        assert [invoke(caller) for _ in range(5)] == [b"x"] * 5
        assert peer.connections == 5


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Slow Down"])
def test_what_may_pass_is_repeated(status: str) -> None:
    with Peer(lambda incoming: ok(b"no", status) if incoming.number < 3 else ok(incoming.body)) as peer:
        assert invoke(invoker(peer, retries=2), b"body") == b"body"
        assert [request.body for request in peer.requests] == [b"body"] * 3


@pytest.mark.parametrize(
    ("status", "tries", "fault"),
    [("415 Unsupported Media Type", 1, "client"), ("500 Oops", 2, "algorithm"), ("302 Found", 1, "algorithm")],
)
def test_a_refusal_is_told_in_the_containers_own_words(status: str, tries: int, fault: str) -> None:
    with Peer(lambda incoming: ok(b"This predictor only supports CSV data", status)) as peer:
        with pytest.raises(CallFailed, match="This predictor only supports CSV data") as caught:
            invoke(invoker(peer, retries=1))
        assert len(peer.requests) == tries
    assert (caught.value.fault, caught.value.status) == (fault, int(status[:3]))
    assert f"the container answered HTTP {status}" in str(caught.value)
    assert caught.value.body == b"This predictor only supports CSV data"


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"message":' * 6_000, b"1" * 60_000, b'{"message": ' + b"9" * 9_000])
def test_a_refusal_in_json_without_measure_is_told_all_the_same(body: bytes) -> None:
    for content_type in ("application/json", ""):
        assert len(own_words(body, content_type)) == 300


def test_an_early_refusal_of_a_large_body_is_heard() -> None:
    """As nginx does with a body beyond client_max_body_size: it answers after the headers and closes."""
    listener = Peer(lambda incoming: ok())
    big = 20_000_000

    def refuse(sock_timeout: float) -> None:
        connection, _ = listener._listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 3\r\n\r\nbig")
            while connection.recv(1 << 20):
                pass

    thread = threading.Thread(target=refuse, args=(10.0,), daemon=True)
    thread.start()
    caller = invoker(listener)
    with pytest.raises(CallFailed, match="HTTP 413 Request Entity Too Large"):
        caller.invoke(lambda: iter([b"x" * 1_000_000] * 20), big)
    caller.close()
    thread.join(30)
    listener.end()


@pytest.mark.parametrize(
    ("content", "close", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", True, "ended 5 bytes before its Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger", False, "more bytes than its Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", True, "cut off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", True, "not HTTP"),
        (b"", True, "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2001\r\n\r\n" + b"x" * 2001, False, "more than 2000 bytes"),
    ],
)
def test_a_bad_answer_is_no_answer(content: bytes, close: bool, reason: str) -> None:
    with Peer(lambda incoming: Reply(content=content, close=close)) as peer:
        with pytest.raises(CallFailed, match=reason) as caught:
            invoke(invoker(peer, retries=1, most=2000))
        assert len(peer.requests) == 2
    assert (caught.value.fault, caught.value.status) == ("algorithm", None)
    assert "after 2 attempts" in str(caught.value)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_slow_answer_is_given_up_whatever_trickles(chunked: bool) -> None:
    stuck = threading.Event()

    def trickle(incoming: Incoming) -> Reply:
        stuck.wait(30)
        return ok()

    with Peer(trickle) as peer:
        with pytest.raises(CallFailed, match=r"no answer within 0\.2 seconds"):
            invoke(invoker(peer, timeout=0.2), b"x" * 100_000, chunked=chunked)
        stuck.set()


@pytest.mark.parametrize("end_of", ["container", "invoker"])
def test_calls_end_when_the_container_or_the_invoker_does(end_of: str) -> None:
    stuck, end = threading.Event(), End()
    caught: list[BaseException] = []

    def call() -> None:
        try:
            invoke(caller)
        except (ContainerEnded, Closed) as error:
            caught.append(error)

    def wait(incoming: Incoming) -> Reply:
        stuck.wait(30)
        return ok()

    with Peer(wait) as peer:
        caller = invoker(peer, end=end, retries=3)
        threads = [threading.Thread(target=call, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        peer.until_busy(3)
        if end_of == "container":
            end.happened.set()
            caller.shut()
        else:
            caller.close()
        for thread in threads:
            thread.join(30)
        stuck.set()
    assert [type(error) for error in caught] == [ContainerEnded if end_of == "container" else Closed] * 3


def test_a_stream_is_read_anew_for_each_attempt_and_its_own_failure_comes_through() -> None:
    opened = []

    def pieces() -> Iterator[bytes]:
        opened.append(1)
        yield b"first "
        if len(opened) == 2:
            raise ValueError("the source broke")
        yield b"second"

    with Peer(lambda incoming: ok(b"", "503 Busy")) as peer:
        with pytest.raises(ValueError, match="the source broke"):
            invoker(peer, retries=3).invoke(pieces, None)
        assert [request.body for request in peer.requests] == [b"first second"]


def test_an_answer_may_begin_before_the_end_of_the_request() -> None:
    """A server that answers each chunk as it comes would block for ever if nobody read meanwhile."""
    listener = Peer(lambda incoming: ok())
    total = 8_000_000

    def echo() -> None:
        connection, _ = listener._listener.accept()
        with connection, connection.makefile("rb") as stream:
            while stream.readline().strip():
                pass
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n".encode())
            left = total
            while left:
                data = stream.read1(65536)
                connection.sendall(data)
                left -= len(data)

    threading.Thread(target=echo, daemon=True).start()
    answer = invoker(listener).invoke(lambda: iter([b"x" * 1_000_000] * 8), total)
    assert answer.body.size == total
    listener.end()


def test_nobody_listens() -> None:
    peer = Peer(lambda incoming: ok())
    peer.end()
    with pytest.raises(CallFailed, match="port 8080 of the container takes no connection"):
        invoke(invoker(peer))
