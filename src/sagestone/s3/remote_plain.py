"""Large pieces of objects over plain HTTP, straight from the socket: by the kernel to a file or pipe, or into memory.

Only for endpoints without TLS, where a client in user space would copy each byte three times. Whatever is not as
expected ends the attempt, and the caller goes on in the usual way from the byte that was reached: so this has no errors
of its own, tries nothing twice and knows nothing of what S3 answers when it refuses.
"""

import fcntl
import os
import socket
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sagestone.s3.client import SourceObject
from sagestone.s3.remote_sign import Signer
from sagestone.s3.uri import S3Uri

LEAST = 256 * 1024  # below it the usual way is as quick
_PIPE_BYTES = 1024 * 1024
_F_SETPIPE_SZ = 1031
_PATIENCE_SECONDS = 60
_LONGEST_HEAD = 64 * 1024
_SIGNED_SECONDS = 3600
_SIGNATURES = 256


class PlainFetch:
    """Connections to one endpoint; all calls may come from any thread."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._signed: OrderedDict[S3Uri, tuple[str, float]] = OrderedDict()

    def to_file(self, found: SourceObject, target: int, start: int, stop: int) -> int:
        """Write the object's bytes to the same place of a file; up to where it came. Raises what writing raises."""
        at = start
        with self._answer(found, start, stop) as answer:
            if answer is None:
                return start
            with _pipe() as (read_end, write_end):
                while at < stop and (count := _splice(answer.connection, write_end, stop - at)):
                    while count:
                        written = os.splice(read_end, target, count, offset_dst=at)
                        at, count = at + written, count - written
            answer.is_read = at == stop
        return at

    def to_pipe(self, found: SourceObject, pipe: int, start: int, stop: int) -> int:
        """Move the object's bytes into a pipe; up to where it came. Raises BrokenPipeError when nobody reads it."""
        at = start
        with self._answer(found, start, stop) as answer:
            if answer is None:
                return start
            while at < stop and (count := _splice(answer.connection, pipe, stop - at)):
                at += count
            answer.is_read = at == stop
        return at

    def to_memory(self, found: SourceObject, start: int, stop: int) -> bytes:
        """The object's bytes, as many as came."""
        with self._answer(found, start, stop) as answer:
            if answer is None:
                return b""
            content = _receive(answer.connection, stop - start)
            answer.is_read = len(content) == stop - start
        return content

    @contextmanager
    def _answer(self, found: SourceObject, start: int, stop: int) -> "Iterator[_Answer | None]":
        """An answer with just these bytes of just this object; None where there is none."""
        try:
            answer = self._ask(found, start, stop)
        except (OSError, ValueError):
            yield None
            return
        try:
            yield answer
        finally:
            if answer.is_read:
                with self._lock:
                    self._idle.append(answer.connection)
            else:
                answer.connection.close()

    def _ask(self, found: SourceObject, start: int, stop: int) -> "_Answer":
        request = (
            f"GET {self._url(found.uri)} HTTP/1.1\r\nHost: {self._signer.host}\r\n"
            f'Range: bytes={start}-{stop - 1}\r\nIf-Match: "{found.etag}"\r\n\r\n'
        ).encode("ascii")
        with self._lock:
            used = self._idle.pop() if self._idle else None
        if used is not None:
            try:
                return _exchange(used, request, found.etag, stop - start)
            except OSError:  # the server has closed it meanwhile
                pass
        where = urlsplit(f"//{self._signer.host}")
        fresh = socket.create_connection((where.hostname or "", where.port or 80), _PATIENCE_SECONDS)
        fresh.settimeout(None)  # blocking, as splice wants it, and still not for ever
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _PATIENCE_SECONDS, 0))
        return _exchange(fresh, request, found.etag, stop - start)

    def _url(self, uri: S3Uri) -> str:
        with self._lock:
            url, until = self._signed.get(uri, ("", 0.0))
        if time.monotonic() < until:
            return url
        until = time.monotonic() + _SIGNED_SECONDS / 2
        url = self._signer.url(uri, _SIGNED_SECONDS)
        with self._lock:
            self._signed[uri] = (url, until)
            while len(self._signed) > _SIGNATURES:
                self._signed.popitem(last=False)
        return url


class _Answer:
    """A connection whose next bytes are those asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.is_read = False


def _exchange(connection: socket.socket, request: bytes, etag: str, size: int) -> _Answer:
    """Ask, and read the head of the answer; raises OSError, or ValueError when it is another one than expected."""
    try:
        connection.sendall(request)
        received = _receive_head(connection)
        status, *lines = received.decode("latin-1").split("\r\n")
        head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if status.split(" ")[1:2] != ["206"] or head.get("content-length") != str(size):
            raise ValueError(f"{status}, with {head.get('content-length')} bytes")
        if head.get("etag", "").strip('"') != etag or "content-encoding" in head:
            raise ValueError("another object, or another form of it")
    except BaseException:
        connection.close()
        raise
    return _Answer(connection)


def _receive_head(connection: socket.socket) -> bytes:
    """What stands before the empty line, which is read too, and nothing after it."""
    wanted = 1024
    while wanted <= _LONGEST_HEAD:
        seen = connection.recv(wanted, socket.MSG_PEEK)
        end = seen.find(b"\r\n\r\n")
        if end >= 0:
            return connection.recv(end + 4, socket.MSG_WAITALL)[:end]
        if not seen:
            raise OSError("the connection ended before an answer")
        if len(seen) == wanted:
            wanted *= 2
        else:  # wait until more is there than was seen
            more = connection.recv(len(seen) + 1, socket.MSG_PEEK | socket.MSG_WAITALL)
            if len(more) <= len(seen):  # the other side ended, or said nothing for too long
                raise OSError("the connection ended within the head of an answer")
    raise ValueError("the head of the answer has no end")


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            fcntl.fcntl(write_end, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # a plain user has had all that is allowed: it works, more slowly
        yield read_end, write_end
    finally:
        os.close(read_end)
        os.close(write_end)


def _splice(connection: socket.socket, write_end: int, most: int) -> int:
    try:
        return os.splice(connection.fileno(), write_end, min(most, _PIPE_BYTES))
    except BrokenPipeError:
        raise
    except OSError:
        return 0


def _receive(connection: socket.socket, size: int) -> bytes:
    try:
        return connection.recv(size, socket.MSG_WAITALL)
    except OSError:
        return b""
