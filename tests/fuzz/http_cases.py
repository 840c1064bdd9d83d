"""Requests whose bytes are broken: heads, lengths, chunks, several at once, in pieces, cut off."""

from collections.abc import Callable
from random import Random

from tests.fuzz.case import Case, World
from tests.fuzz.mutate import mutated
from tests.fuzz.request_cases import RequestCases
from tests.fuzz.s3_cases import S3Cases

_WORDS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b" ", b"\t", b"\0", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: 0\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: 8000000\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 0x5\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"0\r\n\r\n",
    b"5\r\nhello\r\n", b"ffffffffffffffff\r\n",
    b"1;" + b"x" * 5000 + b"\r\n", b"Host: \r\n", b" folded\r\n", b"X: " + b"y" * 9000 + b"\r\n", b"A: b\r\n" * 500,
    b"CONNECT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://x/ HTTP/1.1\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n", b"GET", b"POST / HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00", b"Content-Encoding: gzip\r\n", b"%", b"\xff",
)  # fmt: skip


class HttpCases:
    """Draws them from whole requests of the other kinds."""

    def __init__(self, world: World) -> None:
        self._draws: tuple[Callable[[Random], Case], ...] = (RequestCases(world).draw, S3Cases(world).draw)

    def draw(self, random: Random) -> Case:
        whole = self._one(random)
        match random.randrange(6):
            case 0:  # pipelined
                whole += self._one(random) + self._one(random)
            case 1:  # with chunks in the place of a length
                head, _, body = whole.partition(b"\r\n\r\n")
                lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
                whole = b"\r\n".join((*lines, b"Transfer-Encoding: chunked")) + b"\r\n\r\n" + _chunks(random, body)
            case 2:
                whole = whole.replace(b"HTTP/1.1", b"HTTP/1.0", 1)
            case 3:  # cut off
                whole = whole[: random.randint(0, len(whole))]
        data = mutated(random, [whole], _WORDS) if random.random() < 0.85 else whole
        pieces = random.choice((1 << 20, 1 << 20, 1000, 40)) if len(data) < 5000 else 1 << 20
        return Case(
            what="bytes",
            body=data,
            request=lambda body: body,
            whole=False,
            pieces=pieces,
            quiet_seconds=random.choice((0.0, 0.1, 0.1)),
        )

    def _one(self, random: Random) -> bytes:
        case = random.choice(self._draws)(random)
        return case.request(case.body)


def _chunks(random: Random, body: bytes) -> bytes:
    size = random.choice((1, 100, 5000)) if len(body) < 1000 else 5000
    cut = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut) + b"0\r\n\r\n"
