"""A real server on loopback with a toy operation table, for the tests of the server."""

import asyncio
import http.client
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from aiohttp import web
from botocore.config import Config

from sagestone.server import Server
from sagestone.server.monitoring_face import MonitoringFace
from sagestone.shapes.service_model import load_service_model
from sagestone.wire.call import Call
from sagestone.wire.credentials import CredentialBook, Credentials
from sagestone.wire.errors import ResourceNotFoundException, ValidationException
from sagestone.wire.exchange import Exchange
from sagestone.wire.operation import Later, Operation, OperationTable

KEYS = Credentials(access_key="AKIDEXAMPLE", secret_key="a/secret+key", account="123456789012")
ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/"
STORED = b'{"AlgorithmName":"stored","CreationTime":1700000000.437}'


class ToyS3:
    """Says what reached it; `/broken/…` raises, before or in the middle of the answer; `/lost` loses the connection."""

    async def handle(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        if request.raw_path.startswith("/broken/early"):
            raise RuntimeError("an inside that nobody may see")
        if request.raw_path == "/lost":  # just after the answer, as by a reset that arrives then
            assert request.transport is not None
            asyncio.get_running_loop().call_soon(request.transport.abort)
        if request.raw_path.startswith("/broken/late"):
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"half")
            raise RuntimeError("an inside that nobody may see")
        return web.Response(text="the S3 face", headers={"x-amz-request-id": exchange.request_id})


@dataclass(slots=True)
class Served:
    """A running server; `calls` are the calls that reached an operation, each with the thread that served it."""

    port: int = 0
    calls: list[tuple[Call, str]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None
    stored: "queue.Queue[Future[None]]" = field(default_factory=queue.Queue)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, secret: str = KEYS.secret_key, base: str = "", **config: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint + base,
            region_name="us-east-1",
            aws_access_key_id=KEYS.access_key,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30, **config),
        )

    def send(
        self, method: str = "POST", path: str = "/", body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One raw request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()


def toy_operations(served: Served, *, begun: bool = False) -> OperationTable:
    def noted(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        def call_noted(call: Call) -> Any:
            served.calls.append((call, threading.current_thread().name))
            return function(call)

        return call_noted

    def create(call: Call) -> dict[str, Any]:
        if call.parameters["AlgorithmName"] == "taken":
            raise ValidationException("Algorithm already exists.")
        return {"AlgorithmArn": ARN + call.parameters["AlgorithmName"], "Inside": object()}

    def begin(call: Call) -> Later | None:
        name = call.parameters["AlgorithmName"]
        if name.startswith("threaded"):
            return None
        stored: Future[None] = Future()
        served.stored.put(stored)

        def answer() -> dict[str, Any]:
            stored.result()
            return create(call)

        return Later(stored=stored, answer=answer)

    def list_algorithms(call: Call) -> dict[str, Any]:
        summary = {"AlgorithmName": "a", "AlgorithmArn": ARN + "a", "CreationTime": 1700000000.437}
        return {"AlgorithmSummaryList": [summary], "NextToken": call.parameters.get("NextToken")}

    def crash(call: Call) -> None:
        raise RuntimeError("an inside that nobody may see")

    def no_events(call: Call) -> None:
        raise ResourceNotFoundException("The specified log stream does not exist.")

    return {
        ("sagemaker", "CreateAlgorithm"): Operation(
            function=noted(create), writes=True, begin=noted(begin) if begun else None
        ),
        ("sagemaker", "DescribeAlgorithm"): Operation(function=noted(lambda call: STORED), writes=False),
        ("sagemaker", "ListAlgorithms"): Operation(function=noted(list_algorithms), writes=False),
        ("sagemaker", "DeleteAlgorithm"): Operation(function=noted(lambda call: None), writes=True),
        ("sagemaker", "AddTags"): Operation(function=noted(crash), writes=True),
        ("logs", "GetLogEvents"): Operation(function=noted(no_events), writes=False),
    }


@contextmanager
def toy_service(
    *,
    no_auth: bool = False,
    with_s3: bool = True,
    max_body: int = 1_000_000,
    monitoring: MonitoringFace | None = None,
    begun: bool = False,
    idle_seconds: float = 75.0,
    most_descriptors: int = 1 << 30,
    query_services: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    handshake_seconds: float = 10.0,
) -> Iterator[Served]:
    """A server in a thread of its own, stopped at the end. `begun`: what is to be stored waits in `stored`."""
    served = Served()
    server = Server(
        operations=toy_operations(served, begun=begun),
        models=[load_service_model("sagemaker"), load_service_model("logs")],
        query_models=[load_service_model(name) for name in query_services],
        s3=ToyS3() if with_s3 else None,
        book=CredentialBook([KEYS]),
        region="us-east-1",
        no_auth=no_auth,
        max_body=max_body,
        monitoring=monitoring,
        idle_seconds=idle_seconds,
        most_descriptors=most_descriptors,
        handshake_seconds=handshake_seconds,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=run_loop, args=(loop,))
    thread.start()
    try:
        served.port = asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0, tls), loop).result(30)
        served.stop = lambda: asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        yield served
        served.stop()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)


def run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Run until stopped; then end what is left: aiohttp lingers on connections whose body nobody wanted."""
    loop.run_forever()
    for task in (left := asyncio.all_tasks(loop)):
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()
