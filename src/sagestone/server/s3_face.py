"""What answers S3 requests; the server only passes them on."""

from typing import Protocol

from aiohttp import web


class S3Face(Protocol):
    """The S3 side of the endpoint.

    1. It gets every request whose credential scope says `s3`, and every unsigned one that is nobody else's, with the
       body unread and `Expect: 100-continue` unanswered.
    2. It checks signatures itself and answers every mistake of the caller with S3's XML; what it raises is a bug, which
       the server logs and answers with InternalError.
    3. `request_id` goes into `x-amz-request-id`.
    """

    async def handle(self, request: web.BaseRequest, request_id: str) -> web.StreamResponse: ...
