"""Takes in a request's body: what was promised about it is checked before anybody hears of it."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.checksums import (
    PREFIX,
    SIZES,
    Checksum,
    check_form,
    check_value,
    claimed_checksum,
    new_checksum,
)
from sagestone.s3_server.chunked import ChunkedDecoder
from sagestone.s3_server.request import S3Request
from sagestone.wire.signature import Seed

LARGEST_PUT = 5 * 1024**3

Sink = Callable[[memoryview], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the headers say about the body. `size` is that of the data, `payload` x-amz-content-sha256."""

    size: int
    payload: str = ""
    seed: Seed | None = None
    md5: bytes | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    trailer: str = ""

    @property
    def chunked(self) -> bool:
        return self.payload.startswith("STREAMING-")


def read_promise(request: S3Request, signer: Signer, *, largest: int = LARGEST_PUT) -> Promise:
    """Read the headers that speak of the body; raises Refusal before any of it is read."""
    headers = request.headers
    payload = signer.payload or headers.get("x-amz-content-sha256", "")
    chunked = payload.startswith("STREAMING-")
    if chunked and "AWS4-HMAC" in payload and signer.access_key and signer.seed is None:
        raise Refusal("InvalidRequest", "Signed chunks need a signature of version 4.")
    size = _size(headers, chunked)
    if size > largest:
        raise Refusal(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            ProposedSize=str(size),
            MaxSizeAllowed=str(largest),
        )
    claimed = claimed_checksum(headers)
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    if trailer and trailer.removeprefix(PREFIX) not in SIZES:
        raise Refusal(
            "InvalidRequest", f"The value specified in the x-amz-trailer header is not supported: {trailer[:64]}"
        )
    if headers.get("x-amz-sdk-checksum-algorithm") and not claimed and not trailer:
        raise Refusal(
            "InvalidRequest",
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found.",
        )
    return Promise(
        size=size,
        payload=payload,
        seed=signer.seed,
        md5=_md5(headers.get("content-md5")),
        checksums=dict([claimed] if claimed else []),
        trailer=trailer.removeprefix(PREFIX),
    )


class Intake:
    """Passes a body's data to a sink and checks what was promised about it. Runs in threads, one call at a time.

    After `finish` the sink has had exactly the promised bytes; `checksums` are those the client sent, now proven.
    """

    def __init__(self, promise: Promise, sink: Sink) -> None:
        self.checksums: dict[str, str] = {}
        self._promise = promise
        self._sink = sink
        self._size = 0
        self._decoder = (
            ChunkedDecoder(signed="AWS4-HMAC" in promise.payload, seed=promise.seed) if promise.chunked else None
        )
        algorithms = {*promise.checksums, *([promise.trailer] if promise.trailer else [])}
        self._hashes: dict[str, Checksum] = {name: new_checksum(name) for name in algorithms}
        self._sha256 = hashlib.sha256() if len(promise.payload) == 64 else None
        self._md5 = hashlib.md5(usedforsecurity=False) if promise.md5 is not None else None

    def take(self, pieces: list[bytes]) -> None:
        """The next pieces of the body as they came."""
        for piece in pieces:
            if self._decoder is None:
                self._take_data(memoryview(piece))
            else:
                for data in self._decoder.feed(piece):
                    self._take_data(data)

    def finish(self, pieces: list[bytes]) -> None:
        """The last pieces; raises Refusal when a promise was not kept."""
        self.take(pieces)
        promise = self._promise
        trailers: dict[str, str] = {}
        if self._decoder is not None:
            self._decoder.finish()
            trailers = self._decoder.trailers
        if self._size != promise.size:
            raise Refusal(
                "IncompleteBody",
                f"You did not provide the number of bytes specified: {promise.size} were promised, {self._size} came.",
            )
        if self._sha256 and not hmac.compare_digest(self._sha256.hexdigest(), promise.payload):
            raise Refusal(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                ClientComputedContentSHA256=promise.payload,
                S3ComputedContentSHA256=self._sha256.hexdigest(),
            )
        if self._md5 and self._md5.digest() != promise.md5:
            raise Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")
        claimed = dict(promise.checksums)
        if promise.trailer:
            if PREFIX + promise.trailer not in trailers:
                raise Refusal(
                    "MalformedTrailerError", f"The trailer {PREFIX}{promise.trailer} was announced but not sent."
                )
            claimed[promise.trailer] = trailers[PREFIX + promise.trailer]
        for algorithm, value in claimed.items():
            check_form(algorithm, value)
            check_value(algorithm, value, b64encode(self._hashes[algorithm].digest()).decode())
        self.checksums = claimed

    def _take_data(self, data: memoryview) -> None:
        self._size += len(data)
        if self._size > self._promise.size:
            raise Refusal(
                "IncompleteBody", f"The body has more than the {self._promise.size} bytes that were promised."
            )
        if self._sha256:
            self._sha256.update(data)
        if self._md5:
            self._md5.update(data)
        for checksum in self._hashes.values():
            checksum.update(data)
        self._sink(data)


def _size(headers: dict[str, str], chunked: bool) -> int:
    name = "x-amz-decoded-content-length" if chunked else "content-length"
    text = headers.get(name, "")
    if not text and not chunked and "transfer-encoding" not in headers:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refusal("MissingContentLength", f"You must provide the {name} HTTP header.")
    return int(text)


def _md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        digest = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        digest = b""
    if len(digest) != 16:
        raise Refusal("InvalidDigest", "The Content-MD5 you specified is not valid.")
    return digest
