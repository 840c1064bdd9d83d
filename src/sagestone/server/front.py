"""Answers one request: told apart by `routing`, answered by the JSON face, the query face or the S3 face."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from sagestone.server.body import BodyIncomplete, read_body
from sagestone.server.json_face import JsonFace, error_reply
from sagestone.server.monitoring_face import MonitoringFace
from sagestone.server.query_face import QueryFace
from sagestone.server.routing import face_of
from sagestone.server.s3_face import S3Face
from sagestone.shapes.service_model import ServiceModel
from sagestone.wire.authentication import Authentication
from sagestone.wire.errors import ServiceError, UnknownOperationException
from sagestone.wire.exchange import Exchange
from sagestone.wire.form import form_of
from sagestone.wire.operation import OperationTable
from sagestone.wire.read import CallReader
from sagestone.wire.reply import ReplyWriter
from sagestone.wire.signature import SignedRequest, claimed_service
from sagestone.wire.xml_error import query_error_body, rest_error_body

_LOG = logging.getLogger("sagestone.server")


class Front:
    """Every face behind one endpoint; the parts are those of `Server`. Operations that wait do so in `executor`."""

    def __init__(
        self,
        *,
        operations: OperationTable,
        models: Sequence[ServiceModel],
        query_models: Sequence[ServiceModel],
        s3: S3Face | None,
        authentication: Authentication,
        monitoring: MonitoringFace,
        container_credentials: Callable[[str], Mapping[str, Any] | None],
        hosts: tuple[str, ...],
        max_body: int,
        executor: ThreadPoolExecutor,
        reads_on_loop: bool,
    ) -> None:
        self._s3, self._monitoring, self._hosts, self._max_body = s3, monitoring, hosts, max_body
        self._container_credentials, self._executor = container_credentials, executor
        reader = CallReader(models)
        self._services = reader.services
        self._json = JsonFace(
            operations=operations,
            reader=reader,
            writer=ReplyWriter(models),
            authentication=authentication,
            executor=executor,
            reads_on_loop=reads_on_loop,
        )
        self._query = QueryFace(
            operations=operations, models=query_models, authentication=authentication, executor=executor
        )

    async def answer(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        """The answer, or a refusal in the form of the service that was asked; `exchange` learns what that was."""
        request_id = exchange.request_id
        signed = SignedRequest.of(request.method, request.raw_path, request.headers.items())
        claimed = claimed_service(signed)
        match face_of(signed, claimed, self._services, self._hosts, self._query.services):
            case "s3":
                return await self._answer_s3(request, exchange)
            case "json":
                return await self._answer_json(request, signed, claimed, exchange)
            case "query" if claimed in self._query.services:
                return await self._answer_query(request, signed, str(claimed), exchange)
            case "query":
                body = query_error_body("InvalidAction", self._not_served(claimed), request_id)
                return _refuse(400, body, "text/xml", request_id)
            case "foreign":
                refusal = UnknownOperationException(self._not_served(claimed))
                return _drop_connection(error_reply(refusal, exchange, form_of(signed)))
            case "credentials":
                exchange.service = "credentials"
                return await self._answer_container(request.raw_path, request_id)
            case "monitoring":
                exchange.service, exchange.operation = "monitoring", signed.raw_path
                return await self._monitoring.answer(request, signed.raw_path)

    def _not_served(self, claimed: str | None) -> str:
        served = {*self._services, *self._query.services, "s3"}
        subject = f"The service '{claimed[:64]}'" if claimed else "A service of the query protocol"
        return f"{subject} is not served here, only {', '.join(sorted(served))}."

    async def _answer_container(self, path: str, request_id: str) -> web.Response:
        """The credentials of a job's role, or the refusal that SDKs print."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._executor, self._container_credentials, path)
        if found is not None:
            return web.json_response(found, headers={"x-amzn-RequestId": request_id})
        text = "These are no credentials of a job that runs here without network isolation."
        return web.json_response(
            {"code": "AccessDenied", "message": text}, status=403, headers={"x-amzn-RequestId": request_id}
        )

    async def _answer_query(
        self, request: web.BaseRequest, signed: SignedRequest, service: str, exchange: Exchange
    ) -> web.Response:
        try:
            body = await read_body(request, self._max_body, lambda: self._query.introduce(signed, service))
        except ServiceError as error:
            return _drop_connection(self._query.refusal(error, service, exchange))
        except BodyIncomplete:
            exchange.service, exchange.code, request_id = service, "RequestTimeout", exchange.request_id
            body = query_error_body(exchange.code, "The body did not arrive in time.", request_id)
            return _refuse(408, body, "text/xml", request_id)
        form = signed.raw_query.encode("utf-8", "replace") if request.method == "GET" else body
        return await self._query.answer(signed.with_body(body), service, form, exchange)

    async def _answer_json(
        self, request: web.BaseRequest, signed: SignedRequest, claimed: str | None, exchange: Exchange
    ) -> web.Response:
        try:
            body = await read_body(request, self._max_body, lambda: self._json.introduce(signed, claimed))
        except ServiceError as error:
            return _drop_connection(error_reply(error, exchange, form_of(signed)))
        except BodyIncomplete:
            message, request_id = "The body did not arrive in time.", exchange.request_id
            return _refuse(408, rest_error_body("RequestTimeout", message, request_id), "application/xml", request_id)
        return await self._json.answer(signed.with_body(body), claimed, body, exchange)

    async def _answer_s3(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        request_id = exchange.request_id
        if self._s3 is None:
            message = "The embedded S3 store is off: this service uses the S3 endpoint in its setting s3_endpoint."
            return _refuse(400, rest_error_body("InvalidRequest", message, request_id), "application/xml", request_id)
        try:
            return await self._s3.handle(request, exchange)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:  # noqa: BLE001 our bug, whatever it is: logged, and the caller gets an answer
            path = _for_log(request.raw_path)
            _LOG.exception("%s %s %r: unexpected exception", request_id, request.method, path, extra=exchange.extra)
            if request.writer.output_size > 0:  # the answer has begun: only a broken connection still tells
                request.protocol.force_close()
                raise ConnectionError("the answer was cut off") from None
            message, exchange.code = "We encountered an internal error. Please try again.", "InternalError"
            return _refuse(500, rest_error_body(exchange.code, message, request_id), "application/xml", request_id)


def _refuse(status: int, body: bytes, content_type: str, request_id: str) -> web.Response:
    headers = {"x-amzn-RequestId": request_id, "x-amz-request-id": request_id, "Content-Type": content_type}
    return _drop_connection(web.Response(status=status, body=body, headers=headers))


def _for_log(target: str) -> str:
    """A request's target without its query, which may hold a signature that is still good: for the log."""
    return target.partition("?")[0][:500]


def _drop_connection(response: web.Response) -> web.Response:
    """The request's body was not read: the connection cannot carry another request."""
    response.force_close()
    return response
