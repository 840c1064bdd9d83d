"""Fetches an object's bytes from an endpoint; a stream that breaks goes on at the byte where it broke."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sagestone.s3.client import ObjectInfo, S3Failure, S3Unreachable, overwritten
from sagestone.s3.remote_failure import failures_of
from sagestone.s3.uri import S3Uri

PIECE = 1024 * 1024
TRIES = 6
FIRST_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """An object whose bytes are coming: the whole object's size, its ETag, and its bytes from the offset on."""

    size: int
    etag: str
    pieces: Iterator[bytes]


class Fetch(Protocol):
    """One way to look at an object and to fetch it; `etag` is that which the object must have."""

    def head(self, uri: S3Uri) -> ObjectInfo: ...

    def get(self, uri: S3Uri, offset: int, etag: str | None, stop: int | None = None) -> Answer: ...


def resumed(
    fetch: Fetch, uri: S3Uri, answer: Answer, offset: int, stop: int | None = None, patience_seconds: float = 0.0
) -> Generator[bytes, None, None]:
    """The pieces of the answer; when the stream breaks, those of a new one of the same object from there on.

    Raises S3Failure when the object was overwritten, or nothing came in several tries in a row and for that long.
    """
    end = answer.size if stop is None else stop
    tries, came_at = 0, time.monotonic()
    pieces = answer.pieces
    while True:
        broken: S3Failure | None = None
        try:
            with failures_of(uri, lambda _: True):
                for piece in pieces:
                    yield piece
                    offset += len(piece)
                    tries, came_at = 0, time.monotonic()
        except S3Failure as failure:
            broken = failure
        if offset == end:
            return
        tries += 1
        if tries >= TRIES and time.monotonic() - came_at >= patience_seconds:
            raise broken or S3Unreachable(f"{uri}: the stream ends after {offset} of {end} bytes")
        time.sleep(FIRST_PAUSE_SECONDS * 2 ** min(tries, TRIES - 1))
        try:
            with failures_of(uri, lambda _: True):
                again = fetch.get(uri, offset, answer.etag, stop)
        except S3Failure as failure:
            if type(failure) not in (S3Failure, S3Unreachable):
                raise
            pieces = iter(())
            continue
        if again.etag != answer.etag:
            raise overwritten(uri)
        pieces = again.pieces


class FetchByBotocore:
    """Any key, through a botocore client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def head(self, uri: S3Uri) -> ObjectInfo:
        found = self._client.head_object(Bucket=uri.bucket, Key=uri.key)
        return ObjectInfo(uri.key, found["ContentLength"], found["ETag"].strip('"'), found["LastModified"].timestamp())

    def get(self, uri: S3Uri, offset: int, etag: str | None, stop: int | None = None) -> Answer:
        options: dict[str, str] = {}
        if offset or stop is not None:
            options["Range"] = f"bytes={offset}-{'' if stop is None else stop - 1}"
        if etag:
            options["IfMatch"] = f'"{etag}"'
        found = self._client.get_object(Bucket=uri.bucket, Key=uri.key, **options)
        return Answer(offset + found["ContentLength"], found["ETag"].strip('"'), _read(found["Body"]))


class FetchByObstore:
    """Keys that obstore keeps as they are, of one bucket."""

    def __init__(
        self,
        bucket: str,
        endpoint_url: str | None,
        region: str,
        access_key: str,
        secret_key: str,
        session_token: str | None,
    ) -> None:
        from obstore import get
        from obstore.store import S3Store

        self._get = get
        options: dict[str, Any] = {"endpoint": endpoint_url} if endpoint_url else {}
        if session_token:
            options["session_token"] = session_token
        self._store = S3Store(
            bucket,
            region=region,
            access_key_id=access_key,
            secret_access_key=secret_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": True,
                "timeout": timedelta(hours=12),
                "connect_timeout": timedelta(seconds=10),
            },
            retry_config={"max_retries": 4},
            **options,
        )

    @staticmethod
    def keeps(key: str) -> bool:
        """Whether obstore asks for exactly this key."""
        return key.isprintable() and all(segment not in ("", ".", "..") for segment in key.split("/"))

    def whole(self, uri: S3Uri, etag: str) -> tuple[bytes, str]:
        """The bytes of a small object of that ETag, at once, and the ETag that it has."""
        found = self._get(self._store, uri.key, options={"if_match": f'"{etag}"'})
        return bytes(found.bytes()), (found.meta["e_tag"] or "").strip('"')

    def head(self, uri: S3Uri) -> ObjectInfo:
        import obstore

        found = obstore.head(self._store, uri.key)
        return ObjectInfo(uri.key, found["size"], (found["e_tag"] or "").strip('"'), found["last_modified"].timestamp())

    def get(self, uri: S3Uri, offset: int, etag: str | None, stop: int | None = None) -> Answer:
        options: dict[str, Any] = {}
        if stop is not None:
            options["range"] = (offset, stop)
        elif offset:
            options["range"] = {"offset": offset}
        if etag:
            options["if_match"] = f'"{etag}"'
        found = self._get(self._store, uri.key, options=options)  # type: ignore[arg-type]
        size = int(found.meta["size"])
        small = (size if stop is None else stop) - offset <= PIECE
        pieces = _whole(found) if small else _pieces(found.stream(PIECE))
        return Answer(size, (found.meta["e_tag"] or "").strip('"'), pieces)


def _read(body: Any) -> Iterator[bytes]:
    with body:
        while piece := body.read(PIECE):
            yield piece


def _whole(found: Any) -> Iterator[bytes]:
    """A stream costs more than a small object."""
    data = bytes(found.bytes())
    if data:
        yield data


def _pieces(stream: Any) -> Iterator[bytes]:
    for chunk in stream:
        yield bytes(chunk)
