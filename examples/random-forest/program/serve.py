"""Serves the forest: GET /ping, GET /execution-parameters and POST /invocations on port 8080."""

import json
import os
import pickle
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import numpy as np

FOREST = pickle.loads(Path("/opt/ml/model/forest.pickle").read_bytes())


def serve() -> None:
    """Answer until the container is stopped."""
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()


class Handler(BaseHTTPRequestHandler):
    """One request; the connection stays open for the next."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/ping":
            self.answer(200, b"")
        elif self.path == "/execution-parameters":
            limits = {"MaxConcurrentTransforms": os.cpu_count() or 1, "BatchStrategy": "MULTI_RECORD"}
            self.answer(200, json.dumps({**limits, "MaxPayloadInMB": 6}).encode(), "application/json")
        else:
            self.answer(404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type") != "text/csv":
            self.answer(415, b"this algorithm reads text/csv only")
            return
        try:
            rows = np.loadtxt(StringIO(body.decode()), delimiter=",", ndmin=2)
            classes = FOREST.predict(rows)
        except ValueError as error:
            self.answer(400, f"the rows cannot be read: {error}".encode())
            return
        self.answer(200, "".join(f"{label}\n" for label in classes).encode(), "text/csv")

    def answer(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        if self.path != "/ping":
            super().log_message(format, *args)
