"""What answers S3 requests; the server only passes them on."""

from typing import Protocol

from aiohttp import web

from sagestone.wire.exchange import Exchange


class S3Face(Protocol):
    """The S3 side of the endpoint.

    1. It gets every request whose credential scope says `s3`, and every unsigned one that is nobody else's, with the
       body unread and `Expect: 100-continue` unanswered.
    2. It checks signatures itself and answers every mistake of the caller with S3's XML; what it raises is a bug, which
       the server logs and answers with InternalError.
    3. The exchange's `request_id` goes into `x-amz-request-id`; it tells there what was asked, by whom, and its code.
    """

    async def handle(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse: ...
