"""Errors that go to the caller, each with the code AWS clients know (JSON services answer them with HTTP 400)."""

from typing import ClassVar


class ServiceError(Exception):
    """Base of the errors a caller gets: `code` is `__type`, `status` the HTTP status."""

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 400

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class ValidationException(ServiceError):
    """A request that breaks a constraint or a rule; also an unknown algorithm or job, as SageMaker answers it."""

    code = "ValidationException"


class ResourceInUse(ServiceError):
    """A job name that is taken."""

    code = "ResourceInUse"


class ResourceNotFound(ServiceError):
    """A resource that is not there, where the model declares this error."""

    code = "ResourceNotFound"


class ResourceNotFoundException(ServiceError):
    """CloudWatch Logs' word for a group or stream that is not there."""

    code = "ResourceNotFoundException"


class InvalidParameterException(ServiceError):
    """CloudWatch Logs' word for a bad parameter."""

    code = "InvalidParameterException"


class InvalidParameterValue(ServiceError):
    """CloudWatch's word for a bad parameter."""

    code = "InvalidParameterValue"


class InvalidParameterCombination(ServiceError):
    """CloudWatch's word for parameters that do not go together."""

    code = "InvalidParameterCombination"


class ConflictException(ServiceError):
    """A resource that cannot be changed now."""

    code = "ConflictException"


class AccessDeniedException(ServiceError):
    """The caller may not do this."""

    code = "AccessDeniedException"


class SerializationException(ServiceError):
    """A body that is no JSON of the right types."""

    code = "SerializationException"


class UnknownOperationException(ServiceError):
    """An operation that this service does not serve."""

    code = "UnknownOperationException"


class ExpiredTokenException(ServiceError):
    """A session token whose time is over."""

    code = "ExpiredTokenException"


class ValidationError(ServiceError):
    """STS's and IAM's word for a bad parameter."""

    code = "ValidationError"


class MalformedPolicyDocument(ServiceError):
    """IAM's word for a policy that it cannot read."""

    code = "MalformedPolicyDocument"


class NoSuchEntity(ServiceError):
    """IAM's word for a user or role that is not there."""

    code = "NoSuchEntity"
    status = 404


class InternalFailure(ServiceError):
    """Our own bug: logged with the request id."""

    code = "InternalFailure"
    status = 500


class ServiceUnavailable(ServiceError):
    """What the service itself needs does not answer; it may be tried again, as SDKs do by themselves."""

    code = "ServiceUnavailable"
    status = 503


class RequestTooLarge(ServiceError):
    """A body over the limit."""

    code = "RequestEntityTooLarge"
    status = 413


class IncompleteSignatureException(ServiceError):
    """An Authorization header that lacks a part."""

    code = "IncompleteSignatureException"


class MissingAuthenticationTokenException(ServiceError):
    """A request without a signature."""

    code = "MissingAuthenticationTokenException"


class UnrecognizedClientException(ServiceError):
    """An access key or token that is not known."""

    code = "UnrecognizedClientException"


class InvalidSignatureException(ServiceError):
    """A signature that does not fit, or is too old or not yet valid."""

    code = "InvalidSignatureException"
