"""The embedded store as an S3 client, directly on its files: for whoever runs beside it."""

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sagestone.s3.client import (
    AccessDenied,
    NoSuchBucket,
    NoSuchKey,
    ObjectInfo,
    S3Failure,
    SourceObject,
    overwritten,
)
from sagestone.s3.storage.documents import Description, StoredObject
from sagestone.s3.storage.file_copy import copy_place, copy_range
from sagestone.s3.storage.pages import list_objects
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.storage import Storage, open_storage
from sagestone.s3.uri import S3Uri

PIECE = 1024 * 1024
LONGEST_KEY_BYTES = 1024
#: What an attempt to link fails with where the file systems, or one of them, cannot.
_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class EmbeddedS3:
    """The promises of `s3.client` on the store of a directory, which others may have open at the same time.

    `owner` is the account whose buckets it reaches ("": the home's own); None: it reaches all.
    """

    def __init__(self, directory: Path, owner: str | None = None) -> None:
        self._storage = open_storage(directory)
        self._owner = owner

    def list(self, prefix: S3Uri) -> Iterator[ObjectInfo]:
        after = ""
        self._check_owner(prefix)
        while True:
            with _as_client(prefix):
                page = list_objects(self._storage.index, prefix.bucket, prefix=prefix.key, after=after)
            for each in page.items:
                yield _info(each)
            if page.last is None:
                return
            after = page.last

    def head(self, uri: S3Uri) -> ObjectInfo:
        self._check_owner(uri)
        with _as_client(uri):
            return _info(self._storage.objects.get(uri.bucket, uri.key))

    @contextmanager
    def read(self, uri: S3Uri, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self._check_owner(uri)
        with _as_client(uri):
            _, file = self._storage.objects.open(uri.bucket, uri.key)
        with file:
            file.seek(offset)
            yield iter(lambda: file.read(PIECE), b"")

    def download(self, uri: S3Uri, target: Path) -> int:
        self._check_owner(uri)
        with _as_client(uri):
            found, file = self._storage.objects.open(uri.bucket, uri.key)
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        with file:
            try:
                with beside.open("xb", buffering=0) as copy:
                    copy_range(file.fileno(), copy.fileno(), found.size)
                beside.replace(target)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        return found.size

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        file = self.open(found)
        try:
            copy_place(file, target, start, stop)
        finally:
            os.close(file)

    def read_range(self, found: SourceObject, start: int, stop: int) -> bytes:
        file = self.open(found)
        try:
            content = os.pread(file, stop - start, start)
        finally:
            os.close(file)
        if len(content) != stop - start:
            raise S3Failure(f"{found.uri}: the store's file ends after {start + len(content)} bytes")
        return content

    def pieces(self, found: SourceObject, start: int, stop: int) -> Iterator[bytes]:
        file = self.open(found)
        try:
            for place in range(start, stop, PIECE):
                yield os.pread(file, min(PIECE, stop - place), place)
        finally:
            os.close(file)

    @property
    def pours(self) -> bool:
        return True

    def pour(self, found: SourceObject, pipe: int) -> None:
        file = self.open(found)
        try:
            at = 0
            while at < found.size:
                moved = os.splice(file, pipe, found.size - at, offset_src=at)
                if moved == 0:
                    raise S3Failure(f"{found.uri}: its file is shorter than it was")
                at += moved
        finally:
            os.close(file)

    @property
    def has_files(self) -> bool:
        return True

    def open(self, found: SourceObject) -> int:
        try:
            return self._storage.blobs.descriptor(found.place)
        except OSError as error:
            raise self._not_opened(found, error) from error

    @contextmanager
    def opener(self) -> Iterator[Callable[[SourceObject], int]]:
        with self._storage.blobs.opener() as open_blob:

            def open_object(found: SourceObject) -> int:
                try:
                    return open_blob(found.place)
                except OSError as error:
                    raise self._not_opened(found, error) from error

            yield open_object

    def _not_opened(self, found: SourceObject, error: OSError) -> S3Failure:
        if not isinstance(error, FileNotFoundError):
            return S3Failure(f"{found.uri}: {error}")
        with _as_client(found.uri):
            self._storage.objects.get(found.uri.bucket, found.uri.key)
        return overwritten(found.uri)

    def link(self, found: SourceObject, name: str, directory: int) -> bool:
        try:
            self._storage.blobs.show(found.place, name, directory)
        except FileNotFoundError as error:
            with _as_client(found.uri):
                self._storage.objects.get(found.uri.bucket, found.uri.key)
            raise overwritten(found.uri) from error
        except OSError as error:
            if error.errno in _NO_LINKS:
                return False
            raise
        return True

    def upload(self, uri: S3Uri, content_type: str = "binary/octet-stream") -> "EmbeddedUpload":
        with _as_client(uri):
            self._storage.buckets.get(uri.bucket)
        self._check_owner(uri)
        if not 0 < len(os.fsencode(uri.key)) <= LONGEST_KEY_BYTES:
            raise S3Failure(f"{uri}: a key has 1 to {LONGEST_KEY_BYTES} bytes in UTF-8")
        return EmbeddedUpload(self._storage, uri, content_type)

    def delete(self, uri: S3Uri) -> None:
        self._check_owner(uri)
        with _as_client(uri):
            self._storage.objects.delete(uri.bucket, uri.key)

    def _check_owner(self, uri: S3Uri) -> None:
        """Refuse a bucket of another account; objects that a list has found are not asked about again."""
        if self._owner is None:
            return
        with _as_client(uri):
            if self._storage.buckets.get(uri.bucket).owner != self._owner:
                raise Refusal("AccessDenied", "Access Denied: the bucket belongs to another account.")


class EmbeddedUpload:
    """An object being written to the store's own files."""

    def __init__(self, storage: Storage, uri: S3Uri, content_type: str) -> None:
        self._storage = storage
        self._uri = uri
        self._content_type = content_type
        self._blob = storage.blobs.create()

    def write(self, data: bytes | memoryview) -> None:
        with _as_client(self._uri):
            self._blob.write(data)

    def commit(self) -> None:
        with self._blob, _as_client(self._uri):
            self._storage.objects.commit(
                self._uri.bucket,
                self._uri.key,
                self._blob,
                description=Description(headers={"content-type": self._content_type}),
                now=time.time(),
            )

    def abort(self) -> None:
        self._blob.close()


def _info(found: StoredObject) -> ObjectInfo:
    return ObjectInfo(found.key, found.size, found.etag, found.modified_at, found.blob)


@contextmanager
def _as_client(uri: S3Uri) -> Iterator[None]:
    """The store's refusals in the client's words, each naming the URI."""
    kinds = {"NoSuchBucket": NoSuchBucket, "NoSuchKey": NoSuchKey, "AccessDenied": AccessDenied}
    try:
        yield
    except Refusal as refusal:
        raise kinds.get(refusal.code, S3Failure)(f"{uri}: {refusal.message}") from refusal
    except UnicodeEncodeError as error:
        raise S3Failure(f"{uri!r}: the key cannot be written as UTF-8") from error
    except OSError as error:
        raise S3Failure(f"{uri}: {error}") from error
