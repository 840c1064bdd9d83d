"""aws-chunked bodies: what a client makes of data comes back as the data, and nothing else is accepted."""

import hashlib
from base64 import b64encode
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.chunked import ChunkedDecoder
from sagestone.wire.signature import Seed, chunk_signature, trailer_signature

SEED = Seed(
    signing_key=b"k" * 32,
    scope="20260101/us-east-1/s3/aws4_request",
    timestamp="20260101T000000Z",
    signature="0" * 64,
)
CHUNKS = st.lists(st.binary(min_size=1, max_size=400), max_size=6)


def encode(chunks: list[bytes], *, signed: bool, trailers: dict[str, str]) -> bytes:
    """As a client does it."""
    previous, body = SEED.signature, b""
    for chunk in [*chunks, b""]:
        head = f"{len(chunk):x}"
        if signed:
            previous = chunk_signature(SEED, previous, hashlib.sha256(chunk).hexdigest())
            head += f";chunk-signature={previous}"
        body += head.encode() + b"\r\n" + chunk + (b"\r\n" if chunk else b"")
    lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
    body += lines.replace("\n", "\r\n").encode()
    if signed and trailers:
        signature = trailer_signature(SEED, previous, hashlib.sha256(lines.encode()).hexdigest())
        body += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return body + b"\r\n"


def decode(body: bytes, cuts: list[int], *, signed: bool, seed: Seed | None = SEED) -> tuple[bytes, dict[str, str]]:
    decoder = ChunkedDecoder(signed=signed, seed=seed)
    data = b""
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in pairwise(places):
        data += b"".join(bytes(piece) for piece in decoder.feed(body[start:end]))
    decoder.finish()
    return data, decoder.trailers


@given(CHUNKS, st.booleans(), st.booleans(), st.lists(st.integers(0, 5000), max_size=8))
def test_what_was_encoded_comes_back(chunks: list[bytes], signed: bool, trailer: bool, cuts: list[int]) -> None:
    checksum = b64encode(crc32(b"".join(chunks)).to_bytes(4, "big")).decode()
    trailers = {"x-amz-checksum-crc32": checksum} if trailer else {}
    body = encode(chunks, signed=signed, trailers=trailers)
    assert decode(body, cuts, signed=signed) == (b"".join(chunks), trailers)


@given(CHUNKS.filter(bool), st.integers(0, 10**6), st.integers(1, 255))
def test_no_byte_of_signed_chunks_can_be_changed(chunks: list[bytes], place: int, change: int) -> None:
    data = b"".join(chunks)
    body = bytearray(encode(chunks, signed=True, trailers={"x-amz-checksum-crc32": "AAAAAA=="}))
    place %= len(body)
    body[place] ^= change
    try:
        assert decode(bytes(body), [], signed=True) == (data, {"x-amz-checksum-crc32": "AAAAAA=="})  # a letter's case
    except Refusal as refusal:
        assert refusal.code in ("SignatureDoesNotMatch", "InvalidRequest", "IncompleteBody")  # noqa: PT017


@given(CHUNKS.filter(bool), st.booleans(), st.integers(1, 10**6))
def test_a_body_that_was_cut_off_is_refused(chunks: list[bytes], signed: bool, cut: int) -> None:
    body = encode(chunks, signed=signed, trailers={})
    head = f"0;chunk-signature={'0' * 64}\r\n\r\n" if signed else "0\r\n\r\n"
    kept = cut % (len(body) - len(head) + 1)
    with pytest.raises(Refusal):
        decode(body[:kept], [], signed=signed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5\r\nhello",
        b"5\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"5\r\nhello\r\n0\r\n\r\nmore\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\n" + b"a:b\r\n" * 20 + b"\r\n",
        b"5" + b";x" * 5000,
    ],
)
def test_what_is_malformed_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        decode(body, [], signed=False)
    assert refused.value.code in ("InvalidRequest", "IncompleteBody")


def test_chunks_without_signatures_are_refused_where_they_must_be_signed() -> None:
    with pytest.raises(Refusal, match="chunk-signature"):
        decode(b"5\r\nhello\r\n0\r\n\r\n", [], signed=True)


def test_without_authentication_the_signatures_of_chunks_are_not_compared() -> None:
    body = encode([b"hello"], signed=True, trailers={}).replace(b"chunk-signature=", b"chunk-signature=f")
    assert decode(body, [], signed=True, seed=None) == (b"hello", {})
