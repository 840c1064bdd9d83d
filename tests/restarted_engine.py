"""A real engine whose daemon a test stops, kills and starts anew, and whose machine it has go down."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable
from tests.engines import EngineKind, engine_pid, running_engine

_PATIENCE_SECONDS = 90.0
#: Runs the daemon, and again each time that `go` appears: all in the namespaces of the first.
_AGAIN = """
    while :; do
        "$@" & echo $! > daemon.new; mv daemon.new daemon.pid
        wait $!
        until [ -e go ]; do sleep 0.05; done
        rm go
    done
"""


@contextmanager
def restarted_engine(kind: EngineKind) -> Iterator["RestartedEngine"]:
    """Another one than the tests share."""
    with running_engine(kind, ["sh", "-c", _AGAIN, "sh"]) as url:
        yield RestartedEngine(url=url, directory=Path(url.removeprefix("unix://")).parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartedEngine:
    """The daemon alone is ended by `stop` and `kill`; what runs in containers is the daemon's own affair."""

    url: str
    directory: Path

    def stop(self) -> None:
        """As `systemctl stop` does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash does."""
        self._end(signal.SIGKILL)

    def lose(self) -> None:
        """Kill the daemon and all it ever started, and take away what it keeps in memory: a machine that goes down."""
        http = EngineHttp(self.url)
        programs = [int(entry["State"]["Pid"]) for entry in _inspected(http)]
        self.kill()
        # Who watches a program first: it would write down how that ended.
        _await(lambda: _kill_all(self._its_own() + [pid for pid in programs if pid]), "everything of it to end")
        mounts = "for place in $(cut -d' ' -f2 /proc/mounts | grep -F \"$0/\"); do umount -l $place; done"
        subprocess.run(["nsenter", f"--mount=/proc/{engine_pid(self.url)}/ns/mnt", "sh", "-c", mounts, self.directory])
        for name in ("exec", "run", "tmp", "pid"):
            path = self.directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def unwatch(self, program: int) -> None:
        """Kill a container's program together with what the engine has watch it, its parent."""
        watcher = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(watcher, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)

    def start(self) -> None:
        """Start it again and wait for its first answer."""
        (self.directory / "go").touch()
        _await(self._answers, f"the engine: {(self.directory / 'engine.log').read_text(errors='replace')[-2000:]}")

    def _end(self, number: signal.Signals) -> None:
        pid = int((self.directory / "daemon.pid").read_text())
        os.kill(pid, number)
        _await(lambda: not runs(pid), "the daemon to end")

    def _its_own(self) -> list[int]:
        """Processes that name its directory, but for those that keep it."""
        word, found = f"{self.directory}/".encode(), []
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                command = (entry / "cmdline").read_bytes()
                if word in command and b"engine_keeper.py" not in command and not command.startswith(b"sh\0"):
                    found.append(int(entry.name))
        return found

    def _answers(self) -> bool:
        try:
            EngineHttp(self.url).version(timeout=5)
        except (EngineUnreachable, EngineRefused):
            return False
        return True


def _inspected(http: EngineHttp) -> Iterator[dict[str, dict[str, int]]]:
    for entry in http.get("/containers/json"):
        yield http.get(f"/containers/{entry['Id']}/json")


def _kill_all(pids: list[int]) -> bool:
    """Whether none of them was left to kill."""
    living = [pid for pid in pids if runs(pid)]
    for pid in living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not living


def runs(pid: int) -> bool:
    """Whether that process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
