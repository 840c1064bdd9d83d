"""An engine of the harness's own, which can be killed and started again: the daemon alone, not its containers."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable
from tests.engines import EngineKind, engine_command

_PATIENCE_SECONDS = 60.0
_TRIPS_OVER_ITS_NETWORKS = "libnetwork.(*controller).reservePools"


class Engine:
    """`dockerd` or Podman's service with everything below one directory; its network is that of the enclosure."""

    def __init__(self, directory: Path, kind: EngineKind) -> None:
        directory.mkdir()
        self._directory, self._kind = directory, kind
        self.url = f"unix://{directory}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._command, self._environment = engine_command(kind, directory)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait for its first answer.

        A Docker 20.10 that was killed while it made a network cannot be started any more before somebody takes its
        networks away: as its user would, so does this.
        """
        log_file = self._directory / "engine.log"
        process = self._spawn(log_file)
        http, deadline = EngineHttp(self.url), time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                http.version(timeout=5)
                return
            except (EngineUnreachable, EngineRefused):
                assert time.monotonic() < deadline, log_file.read_text()[-2000:]
            if process.poll() is not None:
                assert _TRIPS_OVER_ITS_NETWORKS in log_file.read_text(), log_file.read_text()[-2000:]
                log_file.rename(log_file.with_suffix(f".{process.pid}"))
                (self._directory / "data" / "network" / "files" / "local-kv.db").unlink()
                process = self._spawn(log_file)
            time.sleep(0.05)

    def _spawn(self, log_file: Path) -> subprocess.Popen[bytes]:
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        return self._process

    def kill(self) -> None:
        """End the daemon as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, and everything in it."""
        return self._end(signal.SIGTERM)

    def left(self) -> list[str]:
        """The containers and networks in it that are not its own."""
        http = EngineHttp(self.url)
        containers: list[dict[str, Any]] = http.get("/containers/json", all=True)
        networks: list[dict[str, Any]] = http.get("/networks")
        own = {"bridge", "host", "none", "podman"}
        return [f"container {each['Names']} {each['State']}" for each in containers] + [
            f"network {each['Name']}" for each in networks if each["Name"] not in own
        ]

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        self._process = None
        return code


def remove_control_groups() -> None:
    """Those of engines whose enclosure has ended, with all that ran in it; those of another run are not empty."""
    groups = list(Path("/sys/fs/cgroup").glob("*/sagestone-crash-*-engine"))
    below = [path for group in groups for path in group.rglob("*") if path.is_dir()]
    for directory in sorted([*below, *groups], reverse=True):
        with suppress(OSError):
            directory.rmdir()
