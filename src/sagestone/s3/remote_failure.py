"""What goes wrong at a remote endpoint, in the words of the client interface."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sagestone.s3.client import AccessDenied, NoSuchBucket, NoSuchKey, S3Failure, S3Unreachable, overwritten
from sagestone.s3.uri import S3Uri

_DENIED = {
    "AccessDenied",
    "403",
    "401",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
}


@contextmanager
def failures_of(uri: S3Uri, has_bucket: Callable[[str], bool]) -> Iterator[None]:
    """Raise the client's failures for those of botocore and obstore.

    A 404 without a body says nothing of bucket or key: `has_bucket` is asked then.
    """
    try:
        yield
    except S3Failure:
        raise
    except Exception as error:
        failure = _translated(error, uri, has_bucket)
        if failure is None:
            raise
        raise failure from error


def _translated(error: Exception, uri: S3Uri, has_bucket: Callable[[str], bool]) -> S3Failure | None:
    """The client's failure for it; None where it is none of theirs. Their modules are loaded here: it takes long."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, SSLError
    from obstore.exceptions import (
        BaseError,
        GenericError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    if isinstance(error, ClientError):
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            return S3Unreachable(f"{uri}: S3 answered {error.response['Error'].get('Code')}: {_first_line(error)}")
        return _refused(error.response["Error"], uri, has_bucket)
    if isinstance(error, FileNotFoundError):  # obstore's NotFoundError is one
        return _not_found(uri, has_bucket)
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return AccessDenied(f"{uri}: S3 refused these credentials ({_first_line(error)})")
    if isinstance(error, PreconditionError):
        return overwritten(uri)
    if isinstance(error, ConnectionError | HTTPClientError | GenericError) and not isinstance(error, SSLError):
        return S3Unreachable(f"{uri}: {_first_line(error)}")
    if isinstance(error, (BotoCoreError, BaseError)):
        return S3Failure(f"{uri}: {_first_line(error)}")
    return None


def _refused(told: Mapping[str, str], uri: S3Uri, has_bucket: Callable[[str], bool]) -> S3Failure:
    code, message = told.get("Code", ""), told.get("Message", "")
    if code == "NoSuchBucket":
        return NoSuchBucket(f"{uri}: the bucket does not exist")
    if code in ("NoSuchKey", "404"):
        return _not_found(uri, has_bucket)
    if code.startswith("KMS."):
        return AccessDenied(f"{uri}: the KMS key cannot be used ({code}: {message})")
    if code in _DENIED:
        return AccessDenied(f"{uri}: S3 refused these credentials ({code}: {message})")
    if code in ("PreconditionFailed", "412"):
        return overwritten(uri)
    return S3Failure(f"{uri}: S3 answered {code}: {message}")


def _not_found(uri: S3Uri, has_bucket: Callable[[str], bool]) -> S3Failure:
    if has_bucket(uri.bucket):
        return NoSuchKey(f"{uri}: the object does not exist")
    return NoSuchBucket(f"{uri}: the bucket does not exist")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]
