"""Answers of any shape, however their bytes are cut: what belongs to them, and what is no answer."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.inference.answer import AnswerReader, CallBroken
from sagestone.inference.spool import Spool
from sagestone.inference.timed_socket import TimedSocket

SCRATCH = Path(tempfile.gettempdir())


class Cut:
    """A connection whose bytes come in pieces that a test chose, and which ends then."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._pieces = []
        for size in sizes:
            self._pieces.append(content[:size])
            content = content[size:]
        self._pieces = [piece for piece in [*self._pieces, content] if piece]

    def receive(self, size: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]

    def acknowledge(self) -> None:
        pass


def reader(content: bytes, sizes: list[int]) -> AnswerReader:
    return AnswerReader(cast(TimedSocket, Cut(content, sizes)))


def read(answers: AnswerReader, most: int = 1 << 20) -> tuple[int, str, bytes, bool]:
    """Status, type, body, and whether the connection is to be closed."""
    head, body = answers.head(), Spool(SCRATCH, 1 << 20)
    answers.body(head, body, most)
    content = b"".join(body.pieces())
    body.close()
    return head.status, head.content_type, content, head.closes


def with_length(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(body: bytes) -> bytes:
    parts = [body[at : at + 5] for at in range(0, len(body), 5)]
    chunks = b"".join(b"%X;name=value\r\n%b\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\nTrailer: x\r\n\r\n"


def interim(body: bytes) -> bytes:
    return b"HTTP/1.1 100 Continue\r\n\r\n" + with_length(body)


def line_feeds(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\nContent-Type: text/csv\nContent-Length: %d\n\n" % len(body) + body


@given(
    st.lists(
        st.tuples(st.sampled_from([with_length, chunked, interim, line_feeds]), st.binary(max_size=30)), max_size=4
    ),
    st.lists(st.integers(1, 40), max_size=60),
)
def test_answers_are_told_apart_wherever_the_bytes_are_cut(
    answers: list[tuple[Callable[[bytes], bytes], bytes]], sizes: list[int]
) -> None:
    source = reader(b"".join(write(body) for write, body in answers), sizes)
    for _, body in answers:
        source.received = 0
        assert read(source) == (200, "text/csv", body, False)
    assert not source.has_excess


@given(st.binary(max_size=30), st.lists(st.integers(1, 40), max_size=20))
def test_an_answer_without_a_length_ends_with_the_connection(body: bytes, sizes: list[int]) -> None:
    assert read(reader(b"HTTP/1.1 200 OK\r\n\r\n" + body, sizes)) == (200, "", body, True)


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close", True),
        (b"HTTP/1.0 200 OK", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive", False),
        (b"HTTP/1.1 200 OK", False),
    ],
)
def test_whether_the_connection_is_kept(head: bytes, closes: bool) -> None:
    assert read(reader(head + b"\r\nContent-Length: 0\r\n\r\n", [])) == (200, "", b"", closes)


def test_204_has_no_body_whatever_it_says() -> None:
    source = reader(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n" + with_length(b"next"), [])
    assert read(source) == (204, "", b"", False)
    assert read(source)[2] == b"next"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP: it begins with b'SSH-2.0"),
        (b"HTTP/2 200\r\n\r\n", "not HTTP: it begins with b'HTTP/2 200'"),
        (b"HTTP/1.1 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "its Content-Length is"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", "its Content-Length is"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n", "is no size of a chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "a chunk is longer than it says"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "cut off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "its head has more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "not HTTP: it begins with b''"),
        (b"", "closed without an answer"),
    ],
)
def test_what_is_no_answer(content: bytes, why: str) -> None:
    source = reader(content, [7, 11])
    with pytest.raises(CallBroken, match=why):  # the second answer where the first is one
        [read(source) for _ in range(2)]


@pytest.mark.parametrize("write", [with_length, chunked, lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body])
def test_an_answer_beyond_the_limit_is_not_kept(write: Callable[[bytes], bytes]) -> None:
    assert read(reader(write(b"x" * 100), [50]), most=100)[2] == b"x" * 100
    with pytest.raises(CallBroken, match="more than 99 bytes"):
        read(reader(write(b"x" * 100), [50]), most=99)


def test_what_came_while_the_request_was_sent_is_read_first() -> None:
    body = bytes(range(256)) * 4096
    source, like = reader(with_length(body) + with_length(b"second"), [300_000] * 3), Spool(SCRATCH, 1000)
    for _ in range(3):
        assert source.take_early(like, 1 << 21)
    assert read(source, most=1 << 21)[2] == body
    source.received = 0
    assert read(source)[2] == b"second"
