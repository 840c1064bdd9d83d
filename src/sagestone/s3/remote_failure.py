"""What goes wrong at a remote endpoint, in the words of the client interface."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sagestone.s3.client import AccessDenied, NoSuchBucket, NoSuchKey, S3Failure, overwritten
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
    from botocore.exceptions import BotoCoreError, ClientError
    from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code == "NoSuchBucket":
            raise NoSuchBucket(f"{uri}: the bucket does not exist") from error
        if code in ("NoSuchKey", "404"):
            raise _not_found(uri, has_bucket) from error
        if code in _DENIED:
            raise AccessDenied(f"{uri}: S3 refused these credentials ({code}: {message})") from error
        if code in ("PreconditionFailed", "412"):
            raise overwritten(uri) from error
        raise S3Failure(f"{uri}: S3 answered {code}: {message}") from error
    except FileNotFoundError as error:  # obstore's NotFoundError is one
        raise _not_found(uri, has_bucket) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise AccessDenied(f"{uri}: S3 refused these credentials ({_first_line(error)})") from error
    except PreconditionError as error:
        raise overwritten(uri) from error
    except (BotoCoreError, BaseError) as error:
        raise S3Failure(f"{uri}: {_first_line(error)}") from error


def _not_found(uri: S3Uri, has_bucket: Callable[[str], bool]) -> S3Failure:
    if has_bucket(uri.bucket):
        return NoSuchKey(f"{uri}: the object does not exist")
    return NoSuchBucket(f"{uri}: the bucket does not exist")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]
