"""The services of the query protocol: a signed form becomes a call, the call an operation's answer, that XML."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final

from aiohttp import web

from sagestone.server.json_face import AWAY
from sagestone.shapes.check import RequestCheck
from sagestone.shapes.service_model import ServiceModel
from sagestone.shapes.violation import WrongType, summary
from sagestone.store.interface import StoreUnavailable
from sagestone.wire.authentication import Authentication
from sagestone.wire.call import Call
from sagestone.wire.errors import ServiceError
from sagestone.wire.exchange import Exchange
from sagestone.wire.operation import OperationTable
from sagestone.wire.query import read_form, read_parameters, write_answer
from sagestone.wire.signature import SignedRequest
from sagestone.wire.xml_error import query_error_body

_LOG = logging.getLogger("sagestone.server")

#: What these services call the refusals of a signature, with the HTTP status; the JSON services have other words.
_REFUSALS: Final = {
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "AccessDeniedException": ("AccessDenied", 403),
    "ValidationException": ("ValidationError", 400),
}


class QueryFace:
    """Answers requests of the AWS query protocol; their operations only compute, but are run on `executor` as all."""

    def __init__(
        self,
        *,
        operations: OperationTable,
        models: Sequence[ServiceModel],
        authentication: Authentication,
        executor: Executor,
    ) -> None:
        self._operations = operations
        self._models = {model.service: model for model in models}
        self._checks = {model.service: RequestCheck(model) for model in models}
        self._authentication = authentication
        self._executor = executor

    @property
    def services(self) -> frozenset[str]:
        return frozenset(self._models)

    def introduce(self, request: SignedRequest, service: str) -> None:
        """Before a long body is read: raises the ServiceError for who names no key of ours."""
        self._authentication.introduce(request, service)

    def refusal(self, error: ServiceError, service: str, exchange: Exchange) -> web.Response:
        """An error in this protocol's words."""
        exchange.service = service
        exchange.code, status = _REFUSALS.get(error.code, (error.code, error.status))
        return _reply(status, query_error_body(exchange.code, error.message, exchange.request_id), exchange.request_id)

    async def answer(self, request: SignedRequest, service: str, body: bytes, exchange: Exchange) -> web.Response:
        """The reply; every exception becomes an error document, ours are logged with the request id."""
        request_id, exchange.service = exchange.request_id, service
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._executor, self._perform, request, service, body, exchange)
            return _reply(200, found, request_id)
        except _Refused as refused:
            exchange.code = refused.code
            return _reply(refused.status, query_error_body(refused.code, refused.message, request_id), request_id)
        except ServiceError as error:
            return self.refusal(error, service, exchange)
        except StoreUnavailable as error:
            _LOG.error("%s %s: %s", request_id, service, error, extra=exchange.extra)
            exchange.code = "ServiceUnavailable"
            return _reply(503, query_error_body(exchange.code, AWAY, request_id), request_id)
        except Exception:  # noqa: BLE001 our bug, whatever it is: logged, and the caller gets an answer
            _LOG.exception("%s %s: unexpected exception", request_id, service, extra=exchange.extra)
            text, exchange.code = f"The service's log has the details under request id {request_id}.", "InternalFailure"
            return _reply(500, query_error_body(exchange.code, text, request_id), request_id)

    def _perform(self, request: SignedRequest, service: str, body: bytes, exchange: Exchange) -> bytes:
        model = self._models[service]
        caller = self._authentication.caller(request, service)
        exchange.signed_by(caller)
        try:
            fields = read_form(body)
            name = fields.get("Action", "")
            facts, operation = model.operations.get(name), self._operations.get((service, name))
            if facts is None or operation is None:
                shown = name[:64] or "A request without an Action"
                raise _Refused("InvalidAction", f"{shown} is no operation of {service} that Sagestone serves.")
            exchange.operation = name
            clean, violations = self._checks[service].check(name, read_parameters(model, facts, fields))
        except WrongType as problem:
            raise _Refused("MalformedInput", str(problem)) from None
        if violations:
            raise _Refused("ValidationError", summary(violations))
        request_id = exchange.request_id
        call = Call(service=service, operation=name, parameters=clean, caller=caller, request_id=request_id)
        answer = operation.function(call)
        return write_answer(model, facts, answer if isinstance(answer, dict) else {}, request_id)


class _Refused(Exception):
    """A refusal in the words of this protocol."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def _reply(status: int, body: bytes, request_id: str) -> web.Response:
    return web.Response(status=status, body=body, headers={"x-amzn-RequestId": request_id, "Content-Type": "text/xml"})
