"""From the bytes of a request, in AWS JSON or CBOR, to a Call."""

from collections.abc import Iterable, Mapping
from typing import Final

from sagestone.shapes.check import RequestCheck
from sagestone.shapes.service_model import ServiceModel
from sagestone.shapes.violation import WrongType, summary
from sagestone.wire.call import Call, Caller
from sagestone.wire.errors import (
    InvalidParameterException,
    SerializationException,
    ServiceError,
    UnknownOperationException,
    ValidationException,
)
from sagestone.wire.form import JSON, Form

#: What a service answers to a request that breaks its model; the others answer ValidationException.
_VIOLATED: Final[Mapping[str, type[ServiceError]]] = {"logs": InvalidParameterException}


class CallReader:
    """Knows the served services by their models: which operation a target names, and what its body says."""

    def __init__(self, models: Iterable[ServiceModel]) -> None:
        self._models = {model.service: model for model in models}
        self._services = frozenset(self._models)
        self._by_prefix = {model.target_prefix: model for model in self._models.values()}
        self._checks = {service: RequestCheck(model) for service, model in self._models.items()}

    @property
    def services(self) -> frozenset[str]:
        """The signing names of the services whose models are known."""
        return self._services

    def service_of(self, target: str) -> str | None:
        """The service that an X-Amz-Target belongs to, by what stands before its dot; None for a foreign one."""
        model = self._by_prefix.get(target.partition(".")[0])
        return model.service if model else None

    def operation_of(self, service: str, target: str) -> str:
        """The operation that an X-Amz-Target names; raises UnknownOperationException if the service has none such."""
        prefix, _, operation = target.partition(".")
        model = self._models[service]
        if prefix != model.target_prefix or operation not in model.operations:
            raise UnknownOperationException
        return operation

    def read(
        self, *, service: str, operation: str, body: bytes, caller: Caller, request_id: str, form: Form = JSON
    ) -> Call:
        """The call, checked against the model; raises SerializationException for a body that is no object of the right
        types, the service's exception with all violations. An empty body is an empty object; of a member that is given
        twice the last one counts."""
        parameters = form.read(body)
        try:
            clean, violations = self._checks[service].check(operation, parameters)
        except WrongType as problem:
            raise SerializationException(str(problem)) from None
        if violations:
            raise _VIOLATED.get(service, ValidationException)(summary(violations))
        return Call(service=service, operation=operation, parameters=clean, caller=caller, request_id=request_id)
