"""Reads answers of HTTP/1.1 (and 1.0) from a connection, as strictly as their lengths matter."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sagestone.inference.spool import Spool
from sagestone.inference.timed_socket import TimedSocket

_LONGEST_HEAD = 64 * 1024
_SMALL, _LARGE = 64 * 1024, 256 * 1024
_NO_BODY = (204, 304)
_END = re.compile(rb"\r?\n\r?\n")  # of a head; line feeds alone are taken too
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")  # of a chunk


class CallBroken(Exception):
    """There was no whole answer; `stale` says that a kept connection was closed before the request got anywhere."""

    def __init__(self, text: str, *, stale: bool = False) -> None:
        super().__init__(text)
        self.stale = stale


class Head(NamedTuple):
    """What stands before the body. `length` None: it is `chunked`, or ends with the connection."""

    status: int
    phrase: str
    content_type: str
    length: int | None
    chunked: bool
    closes: bool  # the connection cannot be kept


class AnswerReader:
    """The reading side of one connection: what came beyond one answer is the begin of the next."""

    __slots__ = ("_data", "_early", "_early_pieces", "_last", "_socket", "received")

    def __init__(self, sock: TimedSocket) -> None:
        self._socket = sock
        self._data = b""
        self._last = (
            b"",
            Head(0, "", "", None, False, True),
        )  # the head that was read last: often the next is the same
        self._early: Spool | None = None  # what came after `_data` while the request was being sent
        self._early_pieces: Iterator[bytes] = iter(())
        self.received = 0  # bytes of the answer that is read

    @property
    def has_excess(self) -> bool:
        """Whether bytes are at hand that belong to no answer."""
        return bool(self._data) or self._early is not None

    def take_early(self, like: Spool, most: int) -> bool:
        """Take what came before the request was sent; False at the end of the connection. Raises CallBroken or OSError.

        Much of it goes to a spool like that one.
        """
        data = self._socket.receive(_LARGE)
        self.received += len(data)
        if self.received > most + _LONGEST_HEAD:
            raise _too_long(most)
        if self._early is None and len(self._data) + len(data) <= _LARGE:
            self._data += data
        elif data:
            self._early = self._early or like.another()
            self._early.write(data)
        return bool(data)

    def close(self) -> None:
        """Give back what was kept; idempotent."""
        if self._early is not None:
            self._early.close()
            self._early = None

    def _take(self, size: int) -> bool:
        """Wait for more bytes; False at the end of the connection. Raises OSError."""
        data = next(self._early_pieces, b"") if self._early is not None else b""
        if not data:
            self.close()
            data = self._socket.receive(size)
            self.received += len(data)
        self._data = self._data + data if self._data else data
        return bool(data)

    def head(self) -> Head:
        """The head of the answer, those of interim answers (1xx) skipped; raises CallBroken or OSError."""
        if self._early is not None:
            self._early_pieces = self._early.pieces()
        while True:
            while (found := _END.search(self._data)) is None:
                if self._data and not b"HTTP/".startswith(self._data[:5]):
                    raise CallBroken(f"the answer is not HTTP: it begins with {self._data[:40]!r}")
                if len(self._data) > _LONGEST_HEAD:
                    raise CallBroken(f"the answer is not HTTP: its head has more than {_LONGEST_HEAD} bytes")
                if not self._take(_SMALL):
                    raise self.ended()
            text, self._data = self._data[: found.start()], self._data[found.end() :]
            if text != self._last[0]:
                self._last = (text, _head(text.splitlines() or [b""]))
            if self._last[1].status >= 200:
                return self._last[1]

    def body(self, head: Head, body: Spool, most: int) -> None:
        """Read the body; raises CallBroken, also for more than `most` bytes, or OSError."""
        if head.length is not None:
            if head.length > most:
                raise _too_long(most)
            self._exactly(head.length, body, "the answer ended {left} bytes before its Content-Length")
        elif head.chunked:
            self._chunks(body, most)
        else:
            while True:
                self._keep(body, len(self._data), most)
                if not self._take(_LARGE):
                    return

    def ended(self) -> CallBroken:
        """What a connection that ended means for the answer."""
        if self.received == 0:
            return CallBroken("the connection was closed without an answer", stale=True)
        return CallBroken("the connection was closed in the middle of the answer")

    def _exactly(self, size: int, body: Spool, cut_off: str) -> None:
        left = size
        while True:
            if self._data and left:
                data = self._data[:left]
                self._data = self._data[len(data) :]
                body.write(data)
                left -= len(data)
            if not left:
                return
            self._socket.acknowledge()
            if not self._take(min(max(left, _SMALL), _LARGE)):
                raise CallBroken(cut_off.format(left=left))

    def _chunks(self, body: Spool, most: int) -> None:
        while True:
            line = self._line().partition(b";")[0].strip()
            if not _SIZE.fullmatch(line):
                raise CallBroken(f"the answer is not HTTP: {line[:40]!r} is no size of a chunk")
            size = int(line, 16)
            if body.size + size > most:
                raise _too_long(most)
            if size == 0:
                while self._line():  # trailers
                    pass
                return
            self._exactly(size, body, "the answer was cut off")
            if self._line():
                raise CallBroken("the answer is not HTTP: a chunk is longer than it says")

    def _line(self) -> bytes:
        while (end := self._data.find(b"\n")) < 0:
            if len(self._data) > _LONGEST_HEAD:
                raise CallBroken("the answer is not HTTP: a chunk has no size")
            self._socket.acknowledge()
            if not self._take(_LARGE):
                raise CallBroken("the answer was cut off")
        line, self._data = self._data[:end], self._data[end + 1 :]
        return line.rstrip(b"\r")

    def _keep(self, body: Spool, size: int, most: int) -> None:
        if body.size + size > most:
            raise _too_long(most)
        if size:
            body.write(self._data)
            self._data = b""


def _head(lines: list[bytes]) -> Head:
    version, _, rest = lines[0].partition(b" ")
    code, _, phrase = rest.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not (code.isdigit() and len(code) == 3):
        raise CallBroken(f"the answer is not HTTP: it begins with {lines[0][:40]!r}")
    status, content_type, lengths, coding, connection = int(code), b"", set(), b"", b""
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        match name.strip().lower():
            case b"content-length":
                lengths.add(value.strip())
            case b"content-type":
                content_type = value.strip()
            case b"transfer-encoding":
                coding = value.strip().lower()
            case b"connection":
                connection = value.lower()
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise CallBroken(f"the answer is not HTTP: its Content-Length is {b', '.join(sorted(lengths))[:40]!r}")
    chunked = coding.endswith(b"chunked")
    length = None if chunked or not lengths else int(lengths.pop())
    if status in _NO_BODY:
        length, chunked = 0, False
    lasts = b"keep-alive" in connection if version == b"HTTP/1.0" else b"close" not in connection
    return Head(
        status=status,
        phrase=phrase.decode("latin-1").strip(),
        content_type=content_type.decode("latin-1"),
        length=length,
        chunked=chunked,
        closes=not lasts or (length is None and not chunked),
    )


def _too_long(most: int) -> CallBroken:
    return CallBroken(f"the answer has more than {most} bytes")
