"""The HTTP server: listens, watches its connections, counts and logs what `front` answers, and stops politely."""

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sagestone.server.connections import IDLE_SECONDS, MOST_DESCRIPTORS, Connections, WatchedServer
from sagestone.server.front import Front
from sagestone.server.monitoring_face import MonitoringFace
from sagestone.server.s3_face import S3Face
from sagestone.server.traffic import Traffic
from sagestone.shapes.service_model import ServiceModel
from sagestone.wire.authentication import Authentication
from sagestone.wire.credentials import CredentialBook
from sagestone.wire.exchange import Exchange, new_request_id
from sagestone.wire.operation import OperationTable

#: Threads for operations that wait for the disk: enough that their commits are grouped.
WRITERS = 16

#: How many connections are accepted before the first of them is looked at.
BACKLOG = 128

#: How long a body that was refused is still read and thrown away, so that the client gets to see the answer.
LINGERING_SECONDS = 3.0

#: How long a stop waits for requests that are under way, and then for their connections.
GRACE_SECONDS = 10.0
CLOSING_SECONDS = 5.0

#: How long a client may take until TLS is agreed upon: until then its connection cannot make room for another.
HANDSHAKE_SECONDS = 10.0

_LOG = logging.getLogger("sagestone.server")
_REQUESTS = logging.getLogger("sagestone.request")


#: Where a complaint of aiohttp's begins to show what came: a signature may be in it.
_SHOWN_BYTES = re.compile("b['\"]|bytearray")


def _is_ours(record: logging.LogRecord) -> bool:
    """Pass over what is no HTTP, and clients that went away: aiohttp would write a traceback for each of them."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError) and error.code < 500:
        complaint = " ".join(_SHOWN_BYTES.split(str(error.message), 1)[0].split()).rstrip(":")
        _LOG.info("refused what is no HTTP: %s", complaint)
        return False
    return not isinstance(error, ConnectionError)


_HTTP_LOG = logging.getLogger("sagestone.server.http")
_HTTP_LOG.addFilter(_is_ours)


class Server:
    """Serves the operation table and the S3 face. All parts are given; nothing is read from the environment.

    `query_models` are those of the services that answer in XML. `s3` None: the embedded store is off. `no_auth`:
    requests to all services but S3 are believed unsigned. `reads_on_loop`: the store answers reads without a
    wait. `hosts` are the names that the service goes by, `traffic` counts what was answered. After `idle_seconds`
    without a request a connection is ended; from `most_descriptors` on that the process has open, the one that was idle
    for longest. A handshake of TLS takes `handshake_seconds` at most. `clock` gives epoch seconds.
    """

    def __init__(
        self,
        *,
        operations: OperationTable,
        models: Sequence[ServiceModel],
        query_models: Sequence[ServiceModel] = (),
        s3: S3Face | None,
        book: CredentialBook,
        region: str,
        no_auth: bool = False,
        container_credentials: Callable[[str], Mapping[str, Any] | None] = lambda path: None,
        monitoring: MonitoringFace | None = None,
        traffic: Traffic | None = None,
        hosts: tuple[str, ...] = (),
        max_body: int = 8 * 1024 * 1024,
        reads_on_loop: bool = True,
        idle_seconds: float = IDLE_SECONDS,
        most_descriptors: int = MOST_DESCRIPTORS,
        handshake_seconds: float = HANDSHAKE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._traffic = traffic or Traffic()
        self._executor = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="operation")
        self._monitoring = monitoring or MonitoringFace(networks=())
        self._front = Front(
            operations=operations,
            models=models,
            query_models=query_models,
            s3=s3,
            authentication=Authentication(book, region=region, no_auth=no_auth, clock=clock),
            monitoring=self._monitoring,
            container_credentials=container_credentials,
            hosts=hosts,
            max_body=max_body,
            executor=self._executor,
            reads_on_loop=reads_on_loop,
        )
        self._http: WatchedServer | None = None
        self._listeners: list[asyncio.Server] = []
        self._handshake_seconds = handshake_seconds
        self._connections = Connections(idle_seconds, most_descriptors)
        self._watch: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen in the running loop; gives the bound port (`port` 0: any free one). Raises OSError."""
        # A pre-signed URL or an S3 listing token may be long; an S3 object may carry 2 KB of metadata.
        http = WatchedServer(
            self._handle,
            auto_decompress=False,
            access_log=None,
            logger=_HTTP_LOG,
            max_line_size=65536,
            lingering_time=LINGERING_SECONDS,
        )
        http.connections_watched = self._connections
        bound = await self._listen(http, host, port, tls)
        self._http = http
        self._watch = asyncio.create_task(self._connections.watch())
        return bound

    async def start_inside(self, port: int) -> int:
        """Listen on this machine's loopback too, without TLS, for jobs and commands here; gives the bound port."""
        assert self._http is not None
        return await self._listen(self._http, "127.0.0.1", port, None)

    async def stop(self) -> None:
        """Take no new connections, answer what is under way (for GRACE_SECONDS at most), close; idempotent."""
        http, self._http = self._http, None
        if http is None:
            return
        for listener in self._listeners:
            listener.close()
        try:  # aiohttp's own shutdown would no longer read the bodies that are still coming in
            async with asyncio.timeout(GRACE_SECONDS):
                await self._connections.none_busy()
        except TimeoutError:
            _LOG.warning("%d requests were cut off by the stop", self._connections.busy)
        if self._watch is not None:
            self._watch.cancel()
        http.pre_shutdown()
        await http.shutdown(CLOSING_SECONDS)
        self._executor.shutdown(wait=False)
        self._monitoring.close()

    async def _listen(self, http: WatchedServer, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Accept connections there; gives the port."""
        listener = await asyncio.get_running_loop().create_server(
            http,
            host,
            port,
            ssl=tls,
            backlog=BACKLOG,
            ssl_handshake_timeout=None if tls is None else self._handshake_seconds,
        )
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._connections.begin(request.protocol)
        began, exchange = time.perf_counter(), Exchange(request_id=new_request_id())
        code, status = "ConnectionLost", 0
        try:
            if request.transport is None and not request.content.is_eof():
                raise ConnectionResetError("the client went away before its request was looked at, in its body")
            response = await self._front.answer(request, exchange)
            status = response.status
            code = exchange.code or ("OK" if status < 400 else str(status))
        finally:
            seconds = time.perf_counter() - began
            if _REQUESTS.isEnabledFor(logging.INFO):
                _tell(request, exchange, code, status, seconds)
            self._traffic.count(exchange.service or "-", exchange.operation or "-", code, seconds)
            self._connections.end(request.protocol)
        if self._http is None and not response.prepared:
            response.force_close()
        return response


async def serve_until(server: Server, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then stop gracefully."""
    await server.start(host, port)
    try:
        await stop.wait()
    finally:
        await server.stop()


def _tell(request: web.BaseRequest, exchange: Exchange, code: str, status: int, seconds: float) -> None:
    """The request's line: who asked for what, and what came of it. A query may hold a signature: it is not told."""
    facts = {
        **exchange.extra["facts"],
        "service": exchange.service,
        "operation": exchange.operation,
        "code": code,
        "status": status,
        "milliseconds": round(seconds * 1000, 3),
        "remote": request.remote or "",
    }
    what = f"{exchange.service} {exchange.operation}".strip() or "a request that is nobody's"
    _REQUESTS.info("%s %s: %s", request.method, what, code, extra={"facts": facts})
