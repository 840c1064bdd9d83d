"""A service in a process of its own, in a directory that is gone afterwards."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sagestone.image_build.build import build_image
from sagestone.image_build.recipe import Recipe

IMAGE = "bench/nothing:1"


class RunningService:
    """Where it listens, how to sign, and how large it is."""

    def __init__(self, home: Path, endpoint: str, process: "subprocess.Popen[bytes]", seconds_to_answer: float) -> None:
        self.home = home
        self.endpoint = endpoint
        self.process = process
        self.seconds_to_answer = seconds_to_answer
        entry = json.loads((home / "credentials.json").read_text())["credentials"][0]
        self.keys = (str(entry["access_key"]), str(entry["secret_key"]))

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def resident_mib(self) -> float:
        """Resident memory of the service process now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def service(
    home: Path | None = None, runtime: str = "sandbox", environment: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """A service with an empty home (or a given one) that holds a tiny image; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="sagestone-bench-") as scratch:
        place = home or Path(scratch) / "home"
        place.mkdir(exist_ok=True, mode=0o700)
        _load_image(place, Path(scratch) / "image")
        yield from _run(place, runtime, environment or {})


def _run(home: Path, runtime: str, environment: Mapping[str, str]) -> Iterator[RunningService]:
    endpoint = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "sagestone", "up", "--home", str(home), "--runtime", runtime]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--listen", endpoint.removeprefix("http://")],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    try:
        wait_for_answer(f"{endpoint}/health", process)
        yield RunningService(home, endpoint, process, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for_answer(url: str, process: "subprocess.Popen[bytes]", patience_seconds: float = 60.0) -> None:
    """Ask until there is an answer; raises RuntimeError when the process ended or the patience did."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            urlopen(url, timeout=5).read()
            return
        except (URLError, ConnectionError):
            time.sleep(0.005)
    raise RuntimeError(f"{url} did not answer within {patience_seconds} s")


def _load_image(home: Path, cache: Path) -> None:
    program = cache / "train"
    cache.mkdir()
    program.write_text("nothing runs it\n")
    recipe = Recipe(
        directory=cache,
        name=IMAGE,
        packages=[],
        requirements=[],
        files={"/train": program},
        entrypoint=[],
        environment={},
        workdir="/",
        executable=[],
        labels={},
    )
    archive = build_image(recipe, cache / "built", lambda _: None).archive
    load = [sys.executable, "-m", "sagestone", "image", "load", str(archive), "--home", str(home)]
    subprocess.run(load, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SAGESTONE_RUNTIME": "sandbox"})
