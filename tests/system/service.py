"""A real service in a process of its own, and boto3 clients that know nothing of it but its endpoint and keys."""

import functools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import boto3
from botocore.config import Config

REGION = "us-east-1"
PATIENCE_SECONDS = 90.0
_making_a_client = threading.Lock()  # sessions are not for several threads, clients are


class RunningService:
    """`sagestone up` for one home; can be killed and started again. `before`: a program that becomes the service."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        options: tuple[str, ...] = (),
        ca: Path | None = None,
        before: tuple[str, ...] = (),
    ) -> None:
        self.home = home
        self.port = _free_port()
        self.ca = ca  # it speaks TLS, with a certificate that this authority signed
        self.endpoint = f"{'https' if ca else 'http'}://127.0.0.1:{self.port}"
        self.environment = {**os.environ, **environment}
        self._options, self._before = options, before
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait for the first answer."""
        listen = f"127.0.0.1:{self.port}"
        command = [*self._before, sys.executable, "-m", "sagestone", "up", "--home", str(self.home), "--listen", listen]
        self.home.mkdir(exist_ok=True)
        with (self.home.parent / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
        eventually(self._answers, f"the service answers; its log: {self.home.parent / 'service.log'}")

    def set(self, variable: str, value: str) -> None:
        """Change its environment, from the next start on."""
        self.environment[variable] = value

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it has ended by itself; the exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.wait(timeout=60)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def keys(self) -> tuple[str, str]:
        """Access key and secret key."""
        entry = json.loads((self.home / "credentials.json").read_text())["credentials"][0]
        return entry["access_key"], entry["secret_key"]

    def client(self, service: str, **config: Any) -> Any:
        """An unmodified boto3 client."""
        verify = str(self.ca) if self.ca else None
        with _making_a_client:
            session = _session(*self.keys())
            return session.client(service, endpoint_url=self.endpoint, config=Config(**config), verify=verify)

    def command(self, *arguments: str, timeout: float = PATIENCE_SECONDS) -> "subprocess.CompletedProcess[str]":
        """Run the command line for this home."""
        return subprocess.run(
            [*self._before, sys.executable, "-m", "sagestone", *arguments, "--home", str(self.home)],
            capture_output=True,
            text=True,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self.home.parent / "service.log").read_text()
            raise AssertionError(f"the service ended with {self._process.returncode}: {log[-2000:]}")
        try:
            context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
            with urllib.request.urlopen(f"{self.endpoint}/health", timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        self._process = None
        return code


@functools.lru_cache(maxsize=4)
def _session(access_key: str, secret_key: str) -> boto3.Session:
    """One for all clients with these keys: reading the model of a service takes longer than many a test."""
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=REGION)


def eventually(is_so: Callable[[], bool], what: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; fails with `what` when it is not in time."""
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {patience_seconds} s: {what}"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
