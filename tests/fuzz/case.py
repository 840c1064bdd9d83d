"""A case for a running service: bytes to send, and how to make it smaller."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.sign import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What cases are made for."""

    port: int
    keys: Keys
    texts: tuple[str, ...]
    uploads: deque[str] = field(default_factory=lambda: deque(["none"], maxlen=20))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`body` is what is hostile, `request(body)` what is sent. Without `whole` it may be no HTTP: then it is sent on a
    connection of its own, in `pieces` of that many bytes, and an answer is not due."""

    what: str
    body: bytes
    request: Callable[[bytes], bytes]
    whole: bool = True
    head: bool = False
    pieces: int = 0
    quiet_seconds: float = 0.0  # of the service, after which the sending side is closed


def http_request(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    """The request as it goes over the wire."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    start = f"{method} {target} HTTP/1.1\r\n{lines}"
    if not any(name.lower() in ("content-length", "transfer-encoding") for name in headers):
        start += f"Content-Length: {len(body)}\r\n"
    return start.encode("utf-8", "surrogateescape") + b"\r\n" + body
