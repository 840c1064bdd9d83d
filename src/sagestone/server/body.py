"""The body of an API request, read whole and never more than allowed."""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sagestone.wire.errors import RequestTooLarge, SerializationException

#: A client that sends nothing more for this long is given up.
PATIENCE_SECONDS = 60.0


class BodyIncomplete(Exception):
    """The client stopped sending in the middle of its body."""


async def read_body(request: web.BaseRequest, most_bytes: int) -> bytes:
    """All bytes of the body; raises RequestTooLarge for more than `most_bytes`, by Content-Length before anything is
    read and while reading; answers `Expect: 100-continue` once the length is known to be fine."""
    declared = request.content_length
    if declared is not None and declared > most_bytes:
        raise _too_large(most_bytes)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
    if not request.can_read_body:
        return b""
    content = request.content
    if declared is not None and content.is_eof() and content.exception() is None:
        return content.read_nowait()  # it came together with the headers: the usual case, and the quick one
    pieces: list[bytes] = []
    length = 0
    try:
        while True:
            async with asyncio.timeout(PATIENCE_SECONDS):
                piece = await content.readany()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            length += len(piece)
            if length > most_bytes:
                raise _too_large(most_bytes)
    except TimeoutError:
        raise BodyIncomplete from None
    except (HttpProcessingError, web.RequestPayloadError) as problem:
        raise SerializationException(f"The body's transfer encoding is broken: {problem}") from None


def _too_large(most_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"The request's body is larger than {most_bytes} bytes, the most this service reads "
        "(setting max_request_mb, SAGESTONE_MAX_REQUEST_MB)."
    )
