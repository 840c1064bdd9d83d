"""Decodes aws-chunked bodies: chunks with or without signatures, and trailers."""

import hashlib
import hmac
from collections.abc import Iterator

from sagestone.s3.storage.refusal import Refusal
from sagestone.wire.signature import Seed, chunk_signature, trailer_signature

LONGEST_LINE = 4096
MOST_TRAILERS = 16


class ChunkedDecoder:
    """Feed it the body as it comes; it gives the data back piece by piece and checks every chunk's signature.

    `signed` says whether chunks carry signatures, `seed` what these go on from (None: they are not checked, for a
    service without authentication). `trailers` (lower-case names) is whole after `finish`. A chunk's data come out
    before its signature is checked: whoever stores them must drop them when a later call raises Refusal.
    """

    def __init__(self, *, signed: bool, seed: Seed | None) -> None:
        self.trailers: dict[str, str] = {}
        self._signed = signed
        self._seed = seed
        self._previous = seed.signature if seed else ""
        self._line = bytearray()
        self._state = "head"
        self._left = 0
        self._claimed = ""
        self._hash = hashlib.sha256()
        self._trailer_lines: list[str] = []

    def feed(self, data: bytes) -> Iterator[memoryview]:
        """The data that these bytes of the body hold."""
        view = memoryview(data)
        at = 0
        while at < len(view):
            if self._state == "data":
                piece = view[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if self._signed and self._seed:
                    self._hash.update(piece)
                yield piece
                if self._left == 0:
                    self._state = "data end"
            else:
                end = data.find(b"\n", at)
                stop = len(view) if end < 0 else end + 1
                self._line += view[at:stop]
                at = stop
                if len(self._line) > LONGEST_LINE:
                    raise _malformed("a line is too long")
                if end >= 0:
                    line = bytes(self._line)
                    self._line.clear()
                    self._take_line(line)

    def finish(self) -> None:
        """The body is over; raises Refusal IncompleteBody when it was cut off, SignatureDoesNotMatch."""
        if self._state not in ("trailer", "done") or self._line:
            raise Refusal("IncompleteBody", "The aws-chunked body ended before its last chunk.")
        if self._signed and self._seed and self._trailer_lines:
            claimed = self.trailers.pop("x-amz-trailer-signature", "")
            digest = hashlib.sha256("".join(self._trailer_lines).encode()).hexdigest()
            _compare(trailer_signature(self._seed, self._previous, digest), claimed, "trailer")

    def _take_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise _malformed("a line does not end with CR LF")
        text = line[:-2].decode("latin-1")
        if self._state == "head":
            self._take_head(text)
        elif self._state == "data end":
            if text:
                raise _malformed("a chunk is longer than it says")
            self._end_chunk()
            self._state = "head"
        elif self._state == "trailer" and text:
            self._take_trailer(text)
        elif text or self._state == "done":
            raise _malformed("there is more after the end")
        else:
            self._state = "done"

    def _take_head(self, text: str) -> None:
        size, _, extension = text.partition(";")
        if not 0 < len(size) <= 16 or set(size) - set("0123456789abcdefABCDEF"):
            raise _malformed(f"{size[:32]!r} is not a chunk size")
        self._left = int(size, 16)
        name, _, self._claimed = extension.partition("=")
        if self._signed and (name.strip() != "chunk-signature" or not self._claimed):
            raise _malformed("a chunk has no chunk-signature")
        if self._left:
            self._state = "data"
        else:
            self._end_chunk()
            self._state = "trailer"

    def _end_chunk(self) -> None:
        if self._signed and self._seed:
            expected = chunk_signature(self._seed, self._previous, self._hash.hexdigest())
            _compare(expected, self._claimed.strip(), "chunk")
            self._previous = expected
            self._hash = hashlib.sha256()

    def _take_trailer(self, text: str) -> None:
        name, colon, value = text.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or name in self.trailers or len(self.trailers) >= MOST_TRAILERS:
            raise _malformed("a trailer is no NAME:VALUE, comes twice, or there are too many")
        self.trailers[name] = value
        if name != "x-amz-trailer-signature":
            self._trailer_lines.append(f"{name}:{value}\n")


def _compare(expected: str, claimed: str, what: str) -> None:
    if not hmac.compare_digest(expected.encode(), claimed.encode()):
        raise Refusal(
            "SignatureDoesNotMatch", f"The signature of a {what} of the body does not match what was computed."
        )


def _malformed(why: str) -> Refusal:
    return Refusal("InvalidRequest", f"The aws-chunked body is malformed: {why}.")
