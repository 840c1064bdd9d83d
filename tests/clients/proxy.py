"""A proxy that lets nothing through and writes down what was asked of it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RefusingProxy(socketserver.ThreadingTCPServer):
    """Refuses every request; `asked` has the hosts that a client wanted to reach, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refusal(socketserver.StreamRequestHandler):
    timeout = 10
    server: RefusingProxy

    def handle(self) -> None:
        words = self.rfile.readline(65536).decode(errors="replace").split()  # CONNECT host:port, or GET http://host/…
        target = words[1] if len(words) > 1 else "?"
        self.server.asked.append(target.removeprefix("http://").split("/")[0].removesuffix(":443"))
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@contextmanager
def refusing_proxy() -> Iterator[RefusingProxy]:
    """A running one, on a free port of the loopback."""
    with RefusingProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
