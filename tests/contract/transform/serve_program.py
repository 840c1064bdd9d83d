"""The server inside the tests' serving image. $PROGRAM is Python that may replace what is marked below.

It runs in a container, with the part of the standard library that `tests/python_image.py` takes along.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    number: int
    body: bytes
    handler: BaseHTTPRequestHandler


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b""
    content_type: str = "text/csv; charset=utf-8"
    length: int | None = None  # what Content-Length says, where it lies
    close: bool = False  # end the connection without a word about it


def answer(request: Request) -> Any:
    """May be replaced: a Reply, or bytes for a good one."""
    return request.body.upper()


def ping() -> int:
    """May be replaced: the status of /ping."""
    return 200


def parameters() -> Reply:
    """May be replaced: what /execution-parameters answers."""
    return Reply(404, b"{}")


lock = threading.Lock()
changed = threading.Condition(lock)
count = busy = busiest = 0


def wait_for_busy(number: int, seconds: float = 20.0) -> None:
    """Wait until so many requests have been under way at once."""
    with changed:
        changed.wait_for(lambda: busiest >= number, seconds)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(Reply(ping()))
        elif self.path == "/execution-parameters":
            self._send(parameters())
        else:
            self._send(Reply(404))

    def do_POST(self) -> None:
        global count, busy, busiest
        with lock:
            count, busy = count + 1, busy + 1
            busiest, number, at_once = max(busiest, busy), count, busy
            changed.notify_all()
        try:
            body = self._body()
            seen = {
                "number": number,
                "size": len(body),
                "content_type": self.headers.get("Content-Type"),
                "accept": self.headers.get("Accept"),
                "at_once": at_once,
            }
            sys.stdout.write(json.dumps(seen) + "\n")
            reply = answer(Request(number, body, self))
            self._send(reply if isinstance(reply, Reply) else Reply(200, reply))
        finally:
            with lock:
                busy -= 1

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()
        self.close_connection = self.close_connection or reply.close

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


assert sys.argv[1:] == ["serve"], sys.argv
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
exec(os.environ.get("PROGRAM", ""))
sys.stdout.write(f"serving from {time.time():.0f} on\n")
Server(("", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler).serve_forever()
