"""The body of an API request, read whole and never more than allowed."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sagestone.wire.errors import RequestTooLarge, SerializationException

#: A client that sends nothing more for this long is given up.
PATIENCE_SECONDS = 60.0

#: After that time a body has to have come at this rate at least, else one byte a minute would hold a connection.
SLOWEST_BYTES_A_SECOND: Final = 1024

#: What everybody may send; for more the request's head has to say who sends it.
MOST_OF_STRANGERS: Final = 8192


class BodyIncomplete(Exception):
    """The client stopped sending in the middle of its body, or sends it too slowly."""


async def read_body(
    request: web.BaseRequest,
    most_bytes: int,
    introduce: Callable[[], object] = lambda: None,
    patience: float = PATIENCE_SECONDS,
) -> bytes:
    """All bytes of the body; raises RequestTooLarge for more than `most_bytes`, by Content-Length before anything is
    read and while reading; answers `Expect: 100-continue` once the length is known to be fine.

    `introduce` is called before more than MOST_OF_STRANGERS is kept, and raises the ServiceError for who is none of
    ours. `patience` in seconds: how long nothing may come. Raises BodyIncomplete.
    """
    declared = request.content_length
    if declared is not None and declared > most_bytes:
        raise _too_large(most_bytes)
    is_known = declared is not None and declared > MOST_OF_STRANGERS
    if is_known:
        introduce()
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
    if not request.can_read_body:
        return b""
    content = request.content
    if declared is not None and content.is_eof() and content.exception() is None:
        return content.read_nowait()  # it came together with the headers: the usual case, and the quick one
    body = bytearray()
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        while True:
            late = began + patience + len(body) / SLOWEST_BYTES_A_SECOND
            async with asyncio.timeout_at(min(loop.time() + patience, late)):
                piece = await content.readany()
            if not piece:
                return bytes(body)
            body += piece
            if len(body) > most_bytes:
                raise _too_large(most_bytes)
            if len(body) > MOST_OF_STRANGERS and not is_known:
                introduce()
                is_known = True
    except TimeoutError:
        raise BodyIncomplete from None
    except (HttpProcessingError, web.RequestPayloadError) as problem:
        raise SerializationException(f"The body's transfer encoding is broken: {problem}") from None


def _too_large(most_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"The request's body is larger than {most_bytes} bytes, the most this service reads "
        "(setting max_request_mb, SAGESTONE_MAX_REQUEST_MB)."
    )
