"""Serving containers that answer without end, slowly or as fast as they can: a call ends at its deadline or before."""

import itertools
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sagestone.inference.answer import CallBroken
from sagestone.inference.connection import Connection, Request, request_start
from sagestone.inference.spool import Spool

_HEAD = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

#: What is said first, and what is said again and again.
ENDLESS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "headers": (_HEAD, b"X-Header: value\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body without a length": (_HEAD + b"\r\n", b"x" * 100),
    "chunks": (_CHUNKED, b"1\r\nx\r\n"),
    "size of a chunk": (_CHUNKED, b"0" * 50),
    "extension of a chunk": (_CHUNKED + b"1;", b"name=value;"),
    "trailers": (_CHUNKED + b"0\r\n", b"X-Trailer: value\r\n"),
    "nothing": (b"", b""),
    "a length that is never reached": (_HEAD + b"Content-Length: 90000\r\n\r\n", b""),
}


@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["fast", "slow"])
@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_broken_off(what: str, pause: float) -> None:
    body = Spool(Path(tempfile.gettempdir()), 1 << 16)
    with _Saying(*ENDLESS[what], pause=pause) as ours, pytest.raises(CallBroken):
        Connection(ours).ask(Request(request_start("GET", "/ping", ())), timeout=0.3, body=body, most=100_000)
    assert body.size <= 100_000
    body.close()


class _Saying:
    """One end of a connection at whose other end that is said."""

    def __init__(self, first: bytes, then: bytes, *, pause: float) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._parts: Iterator[bytes] = itertools.chain([first], itertools.repeat(then if pause else then * 500))
        self._pause = pause
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._say, daemon=True)

    def __enter__(self) -> socket.socket:
        self._thread.start()
        return self._ours

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for end in (self._ours, self._theirs):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)
        self._ours.close()
        self._theirs.close()

    def _say(self) -> None:
        with suppress(OSError):
            for part in self._parts:
                if part:
                    self._theirs.sendall(part)
                if self._closed.wait(self._pause if part else 0.02):
                    return
