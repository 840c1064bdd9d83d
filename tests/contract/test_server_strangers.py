"""Who has no key takes little: not the descriptors of the process, not its memory, not its patience."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from sagestone.server.body import MOST_OF_STRANGERS, SLOWEST_BYTES_A_SECOND, BodyIncomplete, read_body
from tests.certificates import make_pair
from tests.contract.toy_service import toy_service

_ASK = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def test_whoever_comes_takes_the_place_of_who_was_idle_for_longest() -> None:
    strangers: list[socket.socket] = []
    opened = len(list(Path("/proc/self/fd").iterdir()))
    with toy_service(most_descriptors=opened + 60) as served:  # of this process, which holds both ends
        try:
            for _ in range(100):
                stranger = socket.create_connection(("127.0.0.1", served.port), timeout=60)
                stranger.sendall(_ASK)
                assert stranger.recv(1000).startswith(b"HTTP/1.1 200")
                strangers.append(stranger)
            assert served.send("GET", "/health")[0] == 200
            assert strangers[0].recv(1) == b""
            strangers[-1].sendall(_ASK)
            assert strangers[-1].recv(1000).startswith(b"HTTP/1.1 200")
        finally:
            for stranger in strangers:
                stranger.close()


def test_a_handshake_that_does_not_come_is_ended(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with (
        toy_service(tls=context, handshake_seconds=0.3) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as stranger,
    ):
        assert stranger.recv(1) == b""


@pytest.mark.parametrize("service", ["sagemaker", "sts"])
@pytest.mark.parametrize("framing", ["Content-Length: 900000", "Transfer-Encoding: chunked"])
def test_a_long_body_is_not_read_from_who_names_no_key(service: str, framing: str) -> None:
    kind = {
        "sagemaker": "X-Amz-Target: SageMaker.CreateAlgorithm",
        "sts": "Content-Type: application/x-www-form-urlencoded",
    }
    scope = f"Credential=AKIANOBODY/20260101/us-east-1/{service}/aws4_request"
    signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\n{kind[service]}\r\n{framing}\r\nX-Amz-Date: 20260101T000000Z\r\n"
        f"Authorization: {signed}\r\n\r\n"
    )
    piece = b"x" * (MOST_OF_STRANGERS + 1)
    body = f"{len(piece):x}\r\n".encode() + piece if "chunked" in framing else b""
    with (
        toy_service(query_services=("sts",)) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as stranger,
    ):
        stranger.sendall(head.encode() + body)
        heard = stranger.recv(10_000)  # though the body has not come
    status, code = {"sagemaker": (400, b"UnrecognizedClientException"), "sts": (403, b"InvalidClientTokenId")}[service]
    assert heard.startswith(f"HTTP/1.1 {status}".encode())
    assert code in heard


def test_a_body_that_trickles_is_given_up() -> None:
    async def trickle() -> int:
        protocol = BaseProtocol(asyncio.get_running_loop())
        protocol.connection_made(asyncio.Transport())
        content = StreamReader(protocol, 2**16)
        request = make_mocked_request("POST", "/", {"Content-Length": "1000000"}, payload=content)
        reading = asyncio.create_task(read_body(request, 2_000_000, patience=0.5))
        sent = 0
        while not reading.done():
            content.feed_data(b"x")
            sent += 1
            await asyncio.sleep(0.01)
        with pytest.raises(BodyIncomplete):
            await reading
        return sent

    assert asyncio.run(trickle()) < SLOWEST_BYTES_A_SECOND
