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
        """Start it and wait for its first answer."""
        log_file = self._directory / "engine.log"
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        http, deadline = EngineHttp(self.url), time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                http.version(timeout=5)
                return
            except (EngineUnreachable, EngineRefused):
                assert time.monotonic() < deadline, log_file.read_text()[-2000:]
                time.sleep(0.05)

    def kill(self) -> None:
        """End the daemon as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, and everything in it."""
        code = self._end(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left := self._control_groups():
            self._end_shims()
            try:
                for directory in left:
                    directory.rmdir()
            except OSError:  # a process in it has not gone yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        return code

    def _control_groups(self) -> list[Path]:
        """The deepest first."""
        groups = list(Path("/sys/fs/cgroup").glob(f"*/{self._directory.name}"))
        below = [path for group in groups for path in group.rglob("*") if path.is_dir()]
        return sorted([*below, *groups], reverse=True)

    def _end_shims(self) -> None:
        """What a killed Docker leaves: it stays, with no container in it."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self._directory).encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)

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
