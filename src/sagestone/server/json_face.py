"""The JSON services: a signed request with its body becomes a call, the call an operation's answer, that a reply."""

import asyncio
import logging
import re
from concurrent.futures import Executor

from aiohttp import web

from sagestone.server.landing import Landing
from sagestone.store.interface import StoreFull, StoreUnavailable
from sagestone.wire.authentication import Authentication
from sagestone.wire.call import Caller
from sagestone.wire.errors import InternalFailure, ServiceError, ServiceUnavailable, UnknownOperationException
from sagestone.wire.exchange import Exchange
from sagestone.wire.form import JSON, Form, form_of, target_of
from sagestone.wire.operation import Later, Operation, OperationTable
from sagestone.wire.read import CallReader
from sagestone.wire.reply import ReplyWriter, error_body
from sagestone.wire.signature import SignedRequest

#: Larger bodies are parsed and checked in a thread, so that one caller's megabytes do not hold up the others.
LARGEST_ON_LOOP = 131072

#: Of operations that check what they are given at length, larger ones are for a thread.
LARGEST_BEGUN_ON_LOOP = 16384

#: What a caller hears of a store that is away; the log says which, and why.
AWAY = "The database that holds the service's state does not answer. Please try again."

#: From the first value that a message shows to the last; a value may hold what looks like the end of one.
_VALUES = re.compile(r"Value '.*' at '", re.DOTALL)

_LOG = logging.getLogger("sagestone.server")


class JsonFace:
    """Answers requests of the AWS JSON protocol, and of rpc-v2-cbor. Operations run on `executor`, but those that only
    read on the loop where `reads_on_loop`: their store answers without a wait."""

    def __init__(
        self,
        *,
        operations: OperationTable,
        reader: CallReader,
        writer: ReplyWriter,
        authentication: Authentication,
        executor: Executor,
        reads_on_loop: bool,
    ) -> None:
        self._reads_on_loop = reads_on_loop
        self._operations = operations
        self._reader = reader
        self._writer = writer
        self._authentication = authentication
        self._executor = executor
        self._landing: Landing | None = None

    def introduce(self, request: SignedRequest, claimed: str | None) -> None:
        """Before a long body is read: raises the ServiceError for who names no key of ours."""
        self._authentication.introduce(request, self._service(claimed, target_of(request)))

    async def answer(
        self, request: SignedRequest, claimed: str | None, body: bytes, exchange: Exchange
    ) -> web.Response:
        """The reply; `claimed` is the service in the credential scope. Every exception becomes an error envelope, ours
        are logged with the request id."""
        target, request_id, form = target_of(request), exchange.request_id, form_of(request)
        try:
            return reply(await self._perform(request, claimed, target, body, exchange), request_id, form)
        except ServiceError as error:
            _LOG.info(
                "%s %r %s: %r",
                request_id,
                target[:200],
                error.code,
                _without_values(error.message)[:500],
                extra=exchange.extra,
            )
            return error_reply(error, exchange, form)
        except StoreFull as error:
            _LOG.error("%s %r: %s", request_id, target[:200], error, extra=exchange.extra)
            return error_reply(InternalFailure(str(error)), exchange, form)
        except StoreUnavailable as error:
            _LOG.error("%s %r: %s", request_id, target[:200], error, extra=exchange.extra)
            return error_reply(ServiceUnavailable(AWAY), exchange, form)
        except Exception:  # noqa: BLE001 our bug, whatever it is: logged, and the caller gets an answer
            _LOG.exception("%s %r: unexpected exception", request_id, target[:200], extra=exchange.extra)
            return error_reply(internal_failure(request_id), exchange, form)

    async def _perform(
        self, request: SignedRequest, claimed: str | None, target: str, body: bytes, exchange: Exchange
    ) -> bytes:
        service = exchange.service = self._service(claimed, target)
        caller = self._authentication.caller(request, service)
        exchange.signed_by(caller)
        if not target:
            raise UnknownOperationException(
                f"The request names no operation: {service} is served in AWS's JSON protocol (X-Amz-Target) and as "
                "rpc-v2-cbor (/service/NAME/operation/NAME), not as a query."
            )
        name = self._reader.operation_of(service, target)
        operation = self._operations.get((service, name))
        if operation is None:
            raise UnknownOperationException(f"{name} is an operation of {service} that Sagestone does not serve.")
        exchange.operation, request_id, form = name, exchange.request_id, form_of(request)
        if operation.begin is not None and self._reads_on_loop and len(body) <= LARGEST_BEGUN_ON_LOOP:
            call = self._reader.read(
                service=service, operation=name, body=body, caller=caller, request_id=request_id, form=form
            )
            later = operation.begin(call)
            if later is not None:
                await self._stored(later)
                return self._writer.write(service, name, later.answer(), form)
        if operation.writes or not self._reads_on_loop or len(body) > LARGEST_ON_LOOP:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._executor, self._call, operation, service, name, body, caller, request_id, form
            )
        return self._call(operation, service, name, body, caller, request_id, form)

    async def _stored(self, later: Later) -> None:
        if self._landing is None:
            self._landing = Landing(asyncio.get_running_loop())
        await self._landing.done(later.stored)

    def _service(self, claimed: str | None, target: str) -> str:
        if claimed in self._reader.services:
            return str(claimed)
        service = self._reader.service_of(target)
        if service is None:
            known = claimed is not None and f"The service '{claimed}' is not served here, only {self._served}."
            raise UnknownOperationException(known or "")
        return service

    @property
    def _served(self) -> str:
        return ", ".join(sorted({*self._reader.services, "s3"}))

    def _call(
        self, operation: Operation, service: str, name: str, body: bytes, caller: Caller, request_id: str, form: Form
    ) -> bytes:
        call = self._reader.read(
            service=service, operation=name, body=body, caller=caller, request_id=request_id, form=form
        )
        return self._writer.write(service, name, operation.function(call), form)


def _without_values(message: str) -> str:
    """A message without the caller's own words: they are for the caller, not for the log."""
    return _VALUES.sub("Value at '", message)


def reply(body: bytes, request_id: str, form: Form = JSON) -> web.Response:
    """HTTP 200 with the headers that clients of the protocol want."""
    headers = {"x-amzn-RequestId": request_id, "Content-Type": form.content_type, **form.headers}
    return web.Response(body=body, headers=headers)


def error_reply(error: ServiceError, exchange: Exchange, form: Form = JSON) -> web.Response:
    """The error's envelope with its HTTP status."""
    exchange.code = error.code
    headers = {
        "x-amzn-RequestId": exchange.request_id,
        "x-amzn-ErrorType": error.code,
        "Content-Type": form.content_type,
        **form.headers,
    }
    return web.Response(status=error.status, body=error_body(error, form), headers=headers)


def internal_failure(request_id: str) -> InternalFailure:
    """Our own bug, told without its inside."""
    return InternalFailure(
        "The request processing has failed because of an unknown error, exception or failure. The service's log has "
        f"the details under request id {request_id}."
    )
