"""Reads a request's body off the connection and hands it to an Intake, bounded in memory."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.body import Intake, read_promise
from sagestone.s3_server.context import Context, wait_out
from sagestone.s3_server.request import S3Request

BATCH = 1024 * 1024

Outcome = TypeVar("Outcome")


async def receive(
    context: Context, request: S3Request, intake: Intake, end: Callable[[list[bytes]], Outcome]
) -> Outcome:
    """Give the body to the intake in threads and the last pieces to `end`, whose outcome this is.

    A client that waits for "100 Continue" is told now: the head was accepted. Raises ConnectionError when the client
    went away.
    """
    await _continue(request)
    content = request.http.content
    pieces: list[bytes] = []
    size = 0
    taking: asyncio.Task[None] | None = None
    try:
        while data := await _piece(context, content):
            pieces.append(data)
            size += len(data)
            if size >= BATCH:
                if taking is not None:
                    await taking
                taking = asyncio.create_task(context.run(intake.take, pieces))
                pieces, size = [], 0
    except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as error:
        raise ConnectionResetError(f"the client went away within the body: {error}") from error
    finally:
        if taking is not None:
            await wait_out(taking)
    if taking is not None:
        taking.result()
    return await context.run(end, pieces)


async def receive_small(context: Context, request: S3Request, signer: Signer, largest: int) -> bytes:
    """A whole small body (XML), checked like an object's."""
    body = bytearray()
    intake = Intake(read_promise(request, signer, largest=largest), lambda data: body.extend(data))
    await receive(context, request, intake, intake.finish)
    return bytes(body)


async def discard(context: Context, request: S3Request) -> None:
    """An operation without a body: refuse one that is not empty."""
    if request.http.body_exists and await _piece(context, request.http.content):
        raise Refusal("InvalidRequest", "This operation takes no body.")


async def _piece(context: Context, content: aiohttp.StreamReader) -> bytes:
    """What has come of the body; refuses one that stops."""
    try:
        async with asyncio.timeout(context.body_patience):
            return await content.readany()
    except TimeoutError:
        raise Refusal(
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period. "
            "Idle connections will be closed.",
        ) from None


async def _continue(request: S3Request) -> None:
    if request.headers.get("expect", "").lower() == "100-continue" and request.http.version >= (1, 1):
        await request.http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.http.writer.output_size = 0  # the answer proper has not begun
