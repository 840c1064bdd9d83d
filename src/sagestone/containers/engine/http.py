"""HTTP to a container engine: a unix socket or TCP, JSON calls and streams. Nothing here knows what is asked.

Plain `http.client`, one connection per call: an agent starts for every instance, and the engine's SDK costs 0.4 s to
import. The SDK's reading of registry credentials is used where it is needed, in `images`.
"""

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from sagestone.containers.runtime import RuntimeFailure

#: The newest version of the API that this driver was written for; older engines are spoken to in their own.
_NEWEST = (1, 47)
_SLOW = 300.0  # seconds for calls that touch disks: create, start, remove
_PIECE = 256 * 1024
_PAUSE = 0.2  # seconds between two tries


class EngineRefused(RuntimeFailure):
    """The engine answered with an error; `status` is HTTP's, the text is the engine's own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class EngineUnreachable(RuntimeFailure):
    """No engine answers at that address; the text says why and what to do."""


class EngineAway(EngineUnreachable):
    """Nobody listens there, so nothing was asked."""


class EngineTimeout(EngineUnreachable):
    """The engine did not answer in time."""


class EngineHttp:
    """Calls to the engine at `url`: unix:///path, tcp://host:port (TLS by DOCKER_TLS_VERIFY and DOCKER_CERT_PATH).

    While no engine answers, what may be asked again is, for `patience_seconds`: what was not heard, and all but POST.
    """

    def __init__(
        self, url: str, *, environment: Mapping[str, str] | None = None, patience_seconds: float = 0.0
    ) -> None:
        self.url = url
        self._patience_seconds = patience_seconds
        self._environment = os.environ if environment is None else environment
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path:
            self.socket_path: str | None = parts.netloc + parts.path
        elif parts.scheme in ("tcp", "http", "https") and parts.hostname:
            self.socket_path = None
        else:
            raise EngineUnreachable(
                f"engine address {url!r} is not supported: expected unix:///path/to/socket or tcp://host:port"
            )
        self._version_path = ""

    def version(self, timeout: float = 5.0) -> dict[str, Any]:
        """What the engine says of itself; from then on calls use the newest API version that both know."""
        answer: dict[str, Any] = self._once("GET", "/version", None, None, {}, timeout)
        newest = min(_NEWEST, _numbers(answer.get("ApiVersion", "")))
        newest = max(newest, _numbers(answer.get("MinAPIVersion") or "1.24"))
        self._version_path = f"/v{newest[0]}.{newest[1]}"
        return answer

    def get(self, path: str, timeout: float | None = _SLOW, **query: Any) -> Any:
        return self._call("GET", self._version_path + path, query, None, {}, timeout)

    def post(self, path: str, body: Any = None, timeout: float | None = _SLOW, **query: Any) -> Any:
        return self._call("POST", self._version_path + path, query, body, {}, timeout)

    def delete(self, path: str, timeout: float | None = _SLOW, **query: Any) -> Any:
        return self._call("DELETE", self._version_path + path, query, None, {}, timeout)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **query: Any,
    ) -> Iterator[Iterator[bytes]]:
        """The pieces of an answer as they come; `timeout` bounds every single read, None waits for ever."""
        connection = self._connection(timeout)
        try:
            with self._explained(timeout):
                response = self._ask(connection, method, self._version_path + path, query, body, headers or {})
            yield self._pieces(response, timeout)
        finally:
            connection.close()

    def _pieces(self, response: http.client.HTTPResponse, timeout: float | None) -> Iterator[bytes]:
        while True:
            with self._explained(timeout):
                piece = response.read1(_PIECE)
            if not piece:
                return
            yield piece

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str],
        timeout: float | None,
    ) -> Any:
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return self._once(method, path, query, body, headers, timeout)
            except EngineTimeout:
                raise
            except EngineUnreachable as error:
                again = method != "POST" or isinstance(error, EngineAway)
                if not again or time.monotonic() >= deadline:
                    raise
            time.sleep(_PAUSE)

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str],
        timeout: float | None,
    ) -> Any:
        connection = self._connection(timeout)
        try:
            with self._explained(timeout):
                content = self._ask(connection, method, path, query or {}, body, headers).read()
        finally:
            connection.close()
        return json.loads(content) if content.strip() else None

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Any,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        present = {key: _query_value(value) for key, value in query.items() if value is not None}
        target = path + ("?" + urlencode(present) if present else "")
        sent = {"Host": "engine", **headers}
        if body is not None and not hasattr(body, "read"):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection.request(method, target, body=body, headers=sent)
        response = connection.getresponse()
        if response.status >= 400:
            raise EngineRefused(response.status, _message(response.read()))
        return response

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        if self.socket_path is not None:
            return _UnixConnection(self.socket_path, timeout)
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (2376 if self._tls() else 2375)
        if not self._tls():
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls_context())

    def _tls(self) -> bool:
        return urlsplit(self.url).scheme == "https" or bool(self._environment.get("DOCKER_TLS_VERIFY"))

    def _tls_context(self) -> ssl.SSLContext:
        directory = Path(self._environment.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
        authority, certificate = directory / "ca.pem", directory / "cert.pem"
        context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
        if certificate.exists():
            context.load_cert_chain(str(certificate), str(directory / "key.pem"))
        return context

    @contextmanager
    def _explained(self, timeout: float | None) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise EngineTimeout(f"the container engine at {self.url} did not answer within {timeout} s") from error
        except PermissionError as error:
            raise EngineUnreachable(
                f"no permission to use the container engine at {self.url}: "
                "join the group that owns its socket, or run as root"
            ) from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise EngineAway(f"the container engine at {self.url} does not answer: {error!r}") from error
        except (OSError, http.client.HTTPException) as error:
            raise EngineUnreachable(f"the container engine at {self.url} does not answer: {error!r}") from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
        except BaseException:
            self.sock.close()
            raise


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else _NEWEST


def _query_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _message(content: bytes) -> str:
    """The engine's words: {"message": …} of both engines, {"cause": …} added by Podman, or the bare text."""
    try:
        document = json.loads(content)
    except ValueError:
        return content.decode(errors="replace").strip() or "no explanation"
    return (
        str(document.get("message") or document.get("cause") or document)
        if isinstance(document, dict)
        else str(document)
    )
