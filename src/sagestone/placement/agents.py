"""The agent processes of this machine: started detached, told apart by their lock, never left as zombies."""

import fcntl
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from sagestone.agent.files import WARM, InstanceFiles
from sagestone.agent.parts import Parts

_LOG = logging.getLogger(__name__)

#: Variables that an agent does not inherit: whom it speaks to and with which keys stands in its Parts alone.
_OWN_PREFIXES = ("AWS_", "SAGESTONE_")
#: Else each of an agent's threads keeps what it once held: with many piped channels a third of all its memory.
_MEMORY = {"MALLOC_ARENA_MAX": "2"}
_PID_FILE = "agent.pid"


class Agents:
    """Starts agents that outlive this process; `on_exit` is called from a thread when one that we started has ended."""

    def __init__(
        self, parts: Parts, environment: Mapping[str, str], program: Sequence[str], on_exit: Callable[[], None]
    ) -> None:
        self._program = program
        self._handed_over = msgspec.json.encode(parts) + b"\n"
        self._environment = _MEMORY | {
            name: value for name, value in environment.items() if not name.startswith(_OWN_PREFIXES)
        }  # fmt: skip
        self._on_exit = on_exit
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._warm: dict[str, list[subprocess.Popen[bytes]]] = {}

    def spawn(self, files: InstanceFiles, pool: str = "") -> None:
        """Start the agent of that instance, one that waits warm in `pool` if there is any. None may be alive."""
        process = self._take_warm(pool)
        handed_over = self._handed_over
        if process is None:
            with files.log.open("ab") as log:
                process = self._start(str(files.directory), log.fileno())
        else:
            handed_over = os.fsencode(files.directory) + b"\n" + handed_over
        self._processes[files.directory] = process
        (files.directory / _PID_FILE).write_text(str(process.pid))
        threading.Thread(target=self._await_end, args=(process,), name=f"agent-{process.pid}", daemon=True).start()
        assert process.stdin is not None
        try:
            with process.stdin as stdin:
                stdin.write(handed_over)
        except BrokenPipeError:
            _LOG.warning("the agent of %s ended before it took its parts; see %s", files.directory, files.log)

    def warm(self, pool: str, count: int) -> None:
        """Have that many agents ready that wait for their instance; they end with this process."""
        waiting = self._warm.setdefault(pool, [])
        while len(waiting) < count:
            waiting.append(self._start(WARM, subprocess.DEVNULL))

    def pass_on(self, pool: str, job: str) -> None:
        """The agents that wait in the pool wait for that job now."""
        self._warm.setdefault(job, []).extend(self._warm.pop(pool, ()))

    def cool(self, pool: str) -> None:
        """Those that wait there end, for their input does."""
        for process in self._warm.pop(pool, ()):
            assert process.stdin is not None
            process.stdin.close()
            threading.Thread(target=process.wait, name=f"agent-{process.pid}", daemon=True).start()

    def _take_warm(self, pool: str) -> "subprocess.Popen[bytes] | None":
        waiting = self._warm.get(pool, [])
        while waiting:
            process = waiting.pop()
            if process.poll() is None:
                return process
        return None

    def _start(self, argument: str, output: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._program, argument],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=self._environment,
            start_new_session=True,
        )

    def is_alive(self, files: InstanceFiles) -> bool:
        """Whether an agent of that instance lives: one that we started, or one that holds the lock."""
        process = self._processes.get(files.directory)
        return (process is not None and process.poll() is None) or _is_held(files.lock)

    def end(self, files: InstanceFiles, patience_seconds: float) -> None:
        """Wait until the agent is gone; kill it when that takes longer than `patience_seconds`."""
        deadline = time.monotonic() + patience_seconds
        killed = False
        while self.is_alive(files):
            if time.monotonic() >= deadline:
                if killed:
                    raise TimeoutError(f"the agent of {files.directory} does not end")
                self._kill(files)
                killed, deadline = True, time.monotonic() + 5.0
            time.sleep(0.005)
        self._processes.pop(files.directory, None)

    def last_words(self, files: InstanceFiles) -> str:
        """The end of what the agent had to say, for the service's log."""
        try:
            return files.log.read_bytes()[-2000:].decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def _await_end(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._on_exit()

    def _kill(self, files: InstanceFiles) -> None:
        """Kill the process that we started, or the one whose id was left and that leads a session, as agents do."""
        try:
            pid = int((files.directory / _PID_FILE).read_text())
            if os.getsid(pid) == pid:
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError) as error:
            _LOG.warning("the agent of %s could not be killed: %s", files.directory, error)


def _is_held(lock: Path) -> bool:
    """Whether a living agent holds that lock; looking takes it for a moment, shared, when it is free."""
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
