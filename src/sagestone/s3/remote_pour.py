"""Moves an object from an endpoint's socket into a pipe without bringing it into this process: plain HTTP only.

It is the quick way, not the careful one: where anything is unusual nothing is moved, and the caller goes another way,
which has the retries and the words for what is wrong.
"""

import http.client
import os
import socket
import struct
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from sagestone.s3.client import SourceObject

_SILENCE_SECONDS = 60


def pours(endpoint_url: str) -> bool:
    """Whether an endpoint can be read this way."""
    return endpoint_url.startswith("http://") and "http" not in getproxies()


def pour_into(pipe: int, signed_url: str, found: SourceObject, start: int, stop: int) -> int:
    """Move the object's bytes from `start` to before `stop` into the pipe; how many there were moved.

    Fewer where the connection broke, 0 where the endpoint does not answer with just these bytes of just this object.
    Raises BrokenPipeError when nobody reads the pipe any more.
    """
    url = urlsplit(signed_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port or 80, timeout=_SILENCE_SECONDS)
    try:
        answered = _ask(connection, url, found, start, stop)
        if answered is None:
            return 0
        source, early = answered
        moved = 0
        while moved < len(early):
            moved += os.write(pipe, early[moved:])
        return moved + _splice(source, pipe, stop - start - moved)
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, url: SplitResult, found: SourceObject, start: int, stop: int
) -> tuple[socket.socket, bytes] | None:
    """The socket that the bytes come from, and those that came with the headers; None without the right answer."""
    headers = {"Range": f"bytes={start}-{stop - 1}", "If-Match": f'"{found.etag}"'}
    try:
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        source: socket.socket = connection.sock
        answer = connection.getresponse()
        if answer.status != 206 or answer.chunked or answer.length != stop - start:
            return None
        if (answer.headers["ETag"] or "").strip('"') != found.etag:
            return None
        early = answer.read1(len(answer.fp.peek()))
        source.settimeout(None)  # splice waits by itself, but not for ever
        source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _SILENCE_SECONDS, 0))
    except (OSError, http.client.HTTPException):
        return None
    return source, early


def _splice(source: socket.socket, pipe: int, count: int) -> int:
    moved = 0
    while moved < count:
        try:
            got = os.splice(source.fileno(), pipe, count - moved)
        except BrokenPipeError:
            raise
        except OSError:
            break
        if got == 0:
            break
        moved += got
    return moved
