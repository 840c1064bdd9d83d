"""The errors of KMS, by their codes."""

from collections.abc import Mapping
from typing import Final

from sagestone.wire.errors import AccessDeniedException, InternalFailure, ServiceError, ValidationException


class NotFoundException(ServiceError):
    """A key or alias that is not there."""

    code = "NotFoundException"


class DisabledException(ServiceError):
    """A key that is not enabled."""

    code = "DisabledException"


class KMSInvalidStateException(ServiceError):
    """A key whose state does not allow this."""

    code = "KMSInvalidStateException"


class AlreadyExistsException(ServiceError):
    """An alias that is taken."""

    code = "AlreadyExistsException"


class InvalidAliasNameException(ServiceError):
    """A name that an alias cannot have."""

    code = "InvalidAliasNameException"


class InvalidArnException(ServiceError):
    """An ARN that is none of a key."""

    code = "InvalidArnException"


class InvalidCiphertextException(ServiceError):
    """A ciphertext that was changed, or that belongs to another encryption context."""

    code = "InvalidCiphertextException"


class IncorrectKeyException(ServiceError):
    """A ciphertext of another key than the one that was named."""

    code = "IncorrectKeyException"


class InvalidKeyUsageException(ServiceError):
    """An algorithm that the key does not have."""

    code = "InvalidKeyUsageException"


class InvalidGrantTokenException(ServiceError):
    """A grant token; there are no grants here."""

    code = "InvalidGrantTokenException"


class InvalidMarkerException(ServiceError):
    """A marker that was not given."""

    code = "InvalidMarkerException"


class UnsupportedOperationException(ServiceError):
    """A parameter that is not served."""

    code = "UnsupportedOperationException"


class TagException(ServiceError):
    """Tags that are not valid."""

    code = "TagException"


class DryRunOperationException(ServiceError):
    """The request would have succeeded; DryRun kept it from being done."""

    code = "DryRunOperationException"


class NotAuthorizedException(ServiceError):
    """A name that is AWS's own."""

    code = "NotAuthorizedException"


#: What the key store's refusals become.
KMS_ERRORS: Final[Mapping[str, type[ServiceError]]] = {
    each.code: each
    for each in (
        NotFoundException,
        DisabledException,
        KMSInvalidStateException,
        AlreadyExistsException,
        InvalidArnException,
        InvalidCiphertextException,
        AccessDeniedException,
        ValidationException,
        InternalFailure,
    )
}
