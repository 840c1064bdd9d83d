"""Any S3 endpoint as an S3 client: AWS, MinIO, Ceph, or the embedded store over HTTP.

botocore does what needs exact keys and raw prefixes (lists, uploads, deletes); obstore, several times as quick, looks
at objects and fetches them. It rewrites keys such as `dir/`, `/x` or `a//b`: these are left to botocore too.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from urllib.request import getproxies

from sagestone.s3.client import (
    NoSuchBucket,
    NoSuchKey,
    ObjectInfo,
    S3Failure,
    S3Unreachable,
    SourceObject,
    in_order,
    level_key,
    overwritten,
)
from sagestone.s3.open_uploads import OpenUploads
from sagestone.s3.patience import Tries, patiently
from sagestone.s3.remote_failure import failures_of
from sagestone.s3.remote_fetch import PIECE, Fetch, FetchByBotocore, FetchByObstore, resumed
from sagestone.s3.remote_list import QuickList
from sagestone.s3.remote_pages import QuickPages
from sagestone.s3.remote_plain import LEAST, PlainFetch
from sagestone.s3.remote_sign import Signer
from sagestone.s3.remote_upload import RemoteUpload, abort_upload
from sagestone.s3.uri import S3Uri

Result = TypeVar("Result")

#: Botocore's words for parameters of ListObjectsV2.
_PARAMETERS = {"delimiter": "Delimiter", "max-keys": "MaxKeys"}
_CAREFUL = 4 * 1024 * 1024  # bytes that are read with all care before pouring is tried again


class RemoteS3:
    """The promises of `s3.client` on an endpoint, path-style; "" as the endpoint is AWS itself.

    While nothing answers there the same is asked again for `patience_seconds`. What is uploaded in parts is noted in
    `open_uploads`, where there is such.
    """

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        access_key: str,
        secret_key: str,
        session_token: str | None = None,
        *,
        patience_seconds: float = 0.0,
        open_uploads: OpenUploads | None = None,
    ) -> None:
        self._patience_seconds, self._open_uploads = patience_seconds, open_uploads
        self._left = [] if open_uploads is None else list(open_uploads.all())  # by an earlier process
        self._endpoint_url = endpoint_url or None
        self._region = region
        self._keys = (access_key, secret_key, session_token)
        self._stores: dict[str, FetchByObstore] = {}
        self._lock = Lock()
        proxied = bool(getproxies())  # botocore and obstore know how to go through one
        self._signer = Signer(endpoint_url, region, *self._keys) if endpoint_url and not proxied else None
        plain = self._signer is not None and self._signer.scheme == "http"
        self._plain = PlainFetch(self._signer) if self._signer is not None and plain else None

    def list(self, prefix: S3Uri, *, page: int = 1000) -> Iterator[ObjectInfo]:
        for each in self._listed(prefix, {} if page == 1000 else {"max-keys": str(page)}):
            if not isinstance(each, str):
                yield each

    def level(self, prefix: S3Uri) -> Iterator[ObjectInfo | str]:
        return self._listed(prefix, {"delimiter": "/"})

    def _listed(self, prefix: S3Uri, more: Mapping[str, str]) -> Iterator[ObjectInfo | str]:
        last = ""
        if self._signer is not None:
            quick = QuickList(self._signer, prefix, more)
            yield from quick
            if quick.is_whole:
                return
            last = quick.last
        tries = Tries(self._patience_seconds)
        while True:
            try:
                for each in self._list_after(prefix, last, more):
                    last = level_key(each)
                    yield each
                    tries.went_well()
                return
            except S3Unreachable as failure:
                tries.failed(failure)

    def _list_after(self, prefix: S3Uri, last: str, more: Mapping[str, str]) -> Iterator[ObjectInfo | str]:
        # Where keys are folded, endpoints differ in what comes after a `/`: they are listed again from the beginning.
        after = {"StartAfter": last} if last and not more.get("delimiter") else {}
        wanted = {_PARAMETERS[name]: value for name, value in more.items()}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=prefix.bucket, Prefix=prefix.key, **after, **wanted
        )
        with failures_of(prefix, self._has_bucket):
            for page in pages:
                objects = [
                    ObjectInfo(each["Key"], each["Size"], each["ETag"].strip('"'), each["LastModified"].timestamp())
                    for each in page.get("Contents", ())
                ]
                folded = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
                for each in in_order(objects, folded):
                    if level_key(each) > last:
                        yield each

    def head(self, uri: S3Uri) -> ObjectInfo:
        return self._ask(uri, lambda: self._fetch(uri).head(uri))

    @contextmanager
    def read(self, uri: S3Uri, offset: int = 0) -> Iterator[Iterator[bytes]]:
        found = self.head(uri) if offset else None  # a range that begins at the end is an error of its own
        if found is not None and offset >= found.size:
            yield iter(())
            return
        first = self._ask(uri, lambda: self._fetch(uri).get(uri, offset, found.etag if found else None))
        stream = resumed(self._fetch(uri), uri, first, offset, patience_seconds=self._patience_seconds)
        try:
            yield stream
        finally:
            stream.close()

    def download(self, uri: S3Uri, target: Path) -> int:
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        size = 0
        try:
            with self.read(uri) as pieces, beside.open("xb", buffering=0) as file:
                for piece in pieces:
                    file.write(piece)
                    size += len(piece)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return size

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        at = start
        if self._plain is not None and stop - start >= LEAST:
            at = self._plain.to_file(found, target, start, stop)
        for piece in self.pieces(found, at, stop):
            rest = memoryview(piece)
            while rest:
                written = os.pwrite(target, rest, at)
                at, rest = at + written, rest[written:]

    def read_range(self, found: SourceObject, start: int, stop: int) -> bytes:
        begun = b""
        if self._plain is not None and stop - start >= LEAST:
            begun = self._plain.to_memory(found, start, stop)
        elif start == 0 < stop == found.size <= PIECE:
            begun = self._at_once(found)
        if len(begun) == stop - start:
            return begun
        content = b"".join([begun, *self.pieces(found, start + len(begun), stop)])
        if len(content) != stop - start:
            raise S3Failure(f"{found.uri}: {len(content)} bytes came where {stop - start} were expected")
        return content

    def _at_once(self, found: SourceObject) -> bytes:
        """A small object with as little to do as possible; b"" where that did not go well, and more care is needed."""
        fetch = self._fetch(found.uri)
        if not isinstance(fetch, FetchByObstore):
            return b""
        try:
            with failures_of(found.uri, self._has_bucket):
                content, etag = fetch.whole(found.uri, found.etag)
        except S3Failure as failure:
            if type(failure) not in (S3Failure, S3Unreachable):
                raise
            return b""
        if etag != found.etag:  # some endpoints pass over If-Match
            raise overwritten(found.uri)
        return content if len(content) == found.size else b""

    def pieces(self, found: SourceObject, start: int, stop: int) -> Iterator[bytes]:
        uri, fetch = found.uri, self._fetch(found.uri)
        if start >= stop:
            return
        part = None if (start, stop) == (0, found.size) else stop
        first = self._ask(uri, lambda: fetch.get(uri, start, found.etag, part))
        if first.etag != found.etag:  # some endpoints pass over If-Match
            raise overwritten(uri)
        yield from resumed(fetch, uri, first, start, stop, self._patience_seconds)

    @property
    def pours(self) -> bool:
        return self._plain is not None

    def pour(self, found: SourceObject, pipe: int) -> None:
        at = 0
        while at < found.size:
            reached = at if self._plain is None else self._plain.to_pipe(found, pipe, at, found.size)
            if reached > at:
                at = reached
                continue
            for piece in self.pieces(found, at, min(at + _CAREFUL, found.size)):
                rest = memoryview(piece)
                while rest:
                    written = os.write(pipe, rest)
                    at, rest = at + written, rest[written:]

    @property
    def has_files(self) -> bool:
        return False

    def open(self, found: SourceObject) -> int:
        raise S3Failure(f"{found.uri}: an object of a remote store is no file")

    def opener(self) -> AbstractContextManager[Callable[[SourceObject], int | None]]:
        raise S3Failure("the objects of a remote store are no files")

    def link(self, found: SourceObject, name: str, directory: int) -> bool:
        return False

    def upload(self, uri: S3Uri, content_type: str = "binary/octet-stream", kms_key_id: str = "") -> RemoteUpload:
        if not self._has_bucket(uri.bucket):
            raise NoSuchBucket(f"{uri}: the bucket does not exist")
        return RemoteUpload(
            self._client, uri, content_type, self._patience_seconds, kms_key_id, notes=self._open_uploads
        )

    def clear(self) -> None:
        for uri, upload_id in self._left:
            abort_upload(self._client, uri, upload_id, self._open_uploads)

    def delete(self, uri: S3Uri) -> None:
        with suppress(NoSuchKey):
            self._ask(uri, lambda: self._client.delete_object(Bucket=uri.bucket, Key=uri.key))

    def _has_bucket(self, bucket: str) -> bool:
        def once() -> None:
            with failures_of(S3Uri(bucket, ""), lambda _: False):
                self._client.head_bucket(Bucket=bucket)

        try:
            patiently(self._patience_seconds, once)
        except NoSuchBucket:
            return False
        return True

    def _ask(self, uri: S3Uri, question: Callable[[], Result]) -> Result:
        def once() -> Result:
            with failures_of(uri, self._has_bucket):
                return question()

        return patiently(self._patience_seconds, once)

    def _fetch(self, uri: S3Uri) -> Fetch:
        if not FetchByObstore.keeps(uri.key):
            return FetchByBotocore(self._client)
        with self._lock:
            if uri.bucket not in self._stores:
                self._stores[uri.bucket] = FetchByObstore(uri.bucket, self._endpoint_url, self._region, *self._keys)
            return self._stores[uri.bucket]

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def _make_client(self) -> Any:
        import botocore.parsers
        import botocore.session
        from botocore.config import Config

        access_key, secret_key, session_token = self._keys
        session = botocore.session.Session()
        session.register_component("response_parser_factory", QuickPages(botocore.parsers.ResponseParserFactory()))
        try:
            return session.create_client(
                "s3",
                endpoint_url=self._endpoint_url,
                region_name=self._region,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                aws_session_token=session_token,
                config=Config(
                    s3={"addressing_style": "path"},
                    signature_version="s3v4",
                    retries={"mode": "standard", "max_attempts": 5},
                    # Checksums in trailers are not understood by every endpoint there is.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    max_pool_connections=32,
                ),
            )
        except ValueError as error:
            raise S3Failure(f"the S3 endpoint {self._endpoint_url!r} cannot be used: {error}") from error
