"""What the embedded store refuses, with S3's own code."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """A request that cannot be done: `code` is S3's error code, `details` further elements of its error document."""

    def __init__(self, code: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def no_such_bucket(bucket: str) -> Refusal:
    return Refusal("NoSuchBucket", f"The specified bucket does not exist: {bucket}", BucketName=bucket)


def no_such_key(bucket: str, key: str) -> Refusal:
    return Refusal("NoSuchKey", f"The specified key does not exist in bucket {bucket}.", Key=key)


def no_such_upload(upload_id: str) -> Refusal:
    return Refusal(
        "NoSuchUpload",
        "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed.",
        UploadId=upload_id,
    )


@contextmanager
def refusing_when_full(directory: object) -> Iterator[None]:
    """Say so in S3's form when the disk is full; every other failure goes on as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(directory) from error
        raise
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise _full(directory) from error
        raise


def _full(directory: object) -> Refusal:
    return Refusal(
        "InsufficientStorage",
        f"The disk that holds {directory} is full; nothing was written. Free space and try again.",
    )
