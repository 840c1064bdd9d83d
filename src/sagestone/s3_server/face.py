"""The HTTP face of the embedded store: a request in, an answer out, in S3's form."""

import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from sagestone.s3.storage.refusal import Refusal, refusing_when_full
from sagestone.s3.storage.storage import Storage
from sagestone.s3_server.access import Access
from sagestone.s3_server.answers import error
from sagestone.s3_server.authentication import Authentication
from sagestone.s3_server.context import Context
from sagestone.s3_server.headers import check_headers
from sagestone.s3_server.request import read_request
from sagestone.s3_server.routes import find_route
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.exchange import Exchange

THREADS = 16

_log = logging.getLogger(__name__)


class S3Face:
    """Answers S3 requests from a store.

    1. Nothing is read of a body, nor anything done, before the request's head was accepted; a refusal before the body
       was read closes the connection; so does a body of which nothing came for `body_patience` seconds.
    2. Every answer carries `x-amz-request-id`; every error is an S3 error document.
    3. Without a credential book (None) nobody needs a signature.

    `hosts` are the names the service goes by: `<bucket>.<host>` addresses a bucket. The server has to be made with
    `auto_decompress=False`, else bodies with a Content-Encoding would be altered.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        account: str,
        region: str,
        partition: str = "aws",
        book: CredentialBook | None,
        hosts: tuple[str, ...] = ("localhost",),
        clock: Callable[[], float] = time.time,
        body_patience: float = 60.0,
    ) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._access = Access(book, storage.buckets, storage.seals, partition=partition, account=account)
        self._context = Context(
            storage=storage,
            access=self._access,
            region=region,
            clock=clock,
            threads=self._threads,
            body_patience=body_patience,
        )
        self._authentication = Authentication(book, clock)
        self._hosts = hosts

    async def handle(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        """Answer one request; raises ConnectionError when the client went away."""
        head = request.method == "HEAD"
        resource, request_id, exchange.service = request.path, exchange.request_id, "s3"
        try:
            with refusing_when_full(self._context.storage.directory):
                asked = read_request(request, request_id, self._hosts)
                resource = asked.resource
                signer = self._authentication.check(asked)
                exchange.account, exchange.user = self._access.account_of(signer), signer.name
                check_headers(asked, exchange.account)
                route = find_route(asked)
                exchange.operation = route.name
                self._access.check(signer, route.action, asked.bucket, asked.key)
                response = await route.operation(self._context, asked, signer)
        except Refusal as refusal:
            exchange.code = refusal.code
            response = error(refusal, request_id, resource, head=head)
        except ConnectionError:
            raise
        except (OSError, sqlite3.Error, ValueError, ArithmeticError, LookupError, TypeError, AssertionError):
            _log.exception("S3 request %s failed: %s %s", request_id, request.method, resource, extra=exchange.extra)
            failure = Refusal(
                "InternalError", f"We encountered an internal error; the service's log has it under {request_id}."
            )
            exchange.code = failure.code
            response = error(failure, request_id, resource, head=head)
        if not response.prepared:
            response.headers["x-amz-request-id"] = request_id
            if not request.content.at_eof():
                response.force_close()
        return response

    def close(self) -> None:
        """Wait for the work that is going on and let the threads go."""
        self._threads.shutdown()
