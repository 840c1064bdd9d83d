"""S3's answers: documents, errors, and an object's bytes by sendfile."""

import asyncio
import os
import time
from email.utils import formatdate
from typing import IO

from aiohttp import web

from sagestone.s3.storage.content import Content
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.context import Context
from sagestone.s3_server.errors import error_document, status_of
from sagestone.s3_server.request import S3Request

SMALL = 64 * 1024
PIECE = 1024 * 1024


def xml(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An XML document."""
    return web.Response(status=status, body=body, headers={"Content-Type": "application/xml", **(headers or {})})


def empty(status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Headers only."""
    response = web.Response(status=status, headers=headers)
    response.headers.pop("Content-Type", None)
    return response


def error(refusal: Refusal, request_id: str, resource: str, *, head: bool) -> web.Response:
    """The answer to a request that is refused; without a body where there may be none."""
    status = status_of(refusal)
    if head:
        return empty(status)
    return xml(error_document(refusal, resource, request_id), status)


async def send_blob(
    context: Context,
    request: S3Request,
    file: IO[bytes],
    first: int,
    end: int,
    status: int,
    headers: dict[str, str],
) -> web.StreamResponse:
    """The bytes from `first` to before `end` of an open blob; closes it."""
    count = end - first
    with file:
        if count <= SMALL:
            return web.Response(status=status, body=os.pread(file.fileno(), count, first), headers=headers)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = count
        await response.prepare(request.http)
        transport = request.http.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        loop = asyncio.get_running_loop()
        try:
            await loop.sendfile(transport, file, first, count)
        except (NotImplementedError, asyncio.SendfileNotAvailableError):
            await _write_pieces(context, response, file, first, end)
        await response.write_eof()
        return response


async def send_content(
    context: Context,
    request: S3Request,
    content: Content,
    first: int,
    end: int,
    status: int,
    headers: dict[str, str],
) -> web.StreamResponse:
    """The bytes from `first` to before `end` of an object that has to be opened, piece by piece in threads; closes it.

    Nothing is answered before the first piece has been opened: a blob that was changed is an error, not a short answer.
    """
    with content:
        pieces = content.pieces(first, end)
        piece = await context.run(next, pieces, b"")
        if len(piece) == end - first:
            return web.Response(status=status, body=piece, headers=headers)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = end - first
        await response.prepare(request.http)
        while piece:
            await response.write(piece)
            piece = await context.run(next, pieces, b"")
        await response.write_eof()
        return response


async def _write_pieces(context: Context, response: web.StreamResponse, file: IO[bytes], first: int, end: int) -> None:
    while first < end:
        piece = await context.run(os.pread, file.fileno(), min(PIECE, end - first), first)
        if not piece:
            raise ConnectionResetError("a blob is shorter than its row says")
        await response.write(piece)
        first += len(piece)


def http_time(moment: float) -> str:
    """A time as in Last-Modified."""
    return formatdate(int(moment), usegmt=True)


def iso_time(moment: float) -> str:
    """A time as in listings, with milliseconds."""
    whole = int(moment)
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{int((moment - whole) * 1000):03d}Z", time.gmtime(whole))
