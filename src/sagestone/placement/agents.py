"""The agent processes of this machine: started detached, told apart by their lock, never left as zombies."""

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.agent.parts import Parts
from sagestone.file_lock import is_held
from sagestone.placement.nursery import Nursery

_LOG = logging.getLogger(__name__)


class Agents:
    """Starts agents that outlive this process; `on_exit` is called from a thread when one that we started has ended."""

    def __init__(self, parts: Parts, nursery: Nursery, on_exit: Callable[[], None]) -> None:
        self._nursery = nursery
        self._parts = msgspec.json.encode(replace(parts, volume_keys=None))
        self._parts_with_keys = msgspec.json.encode(parts)
        self._on_exit = on_exit
        self._processes: dict[Path, int] = {}  # descriptors of those that we started and that have not ended
        self._lock = threading.Lock()

    def spawn(self, files: InstanceFiles, *, with_keys: bool) -> None:
        """Start the agent of that instance; none may be alive. Raises AgentNotStarted.

        `with_keys`: it has an encrypted volume to open.
        """
        process = self._nursery.fork(files.directory, self._parts_with_keys if with_keys else self._parts)
        with self._lock:
            self._processes[files.directory] = process
        threading.Thread(
            target=self._await_end, args=(files.directory, process), name="agent-wait", daemon=True
        ).start()

    def is_alive(self, files: InstanceFiles) -> bool:
        """Whether an agent of that instance lives: one that we started, or one that holds the lock."""
        with self._lock:
            ours = files.directory in self._processes
        return ours or is_held(files.lock)

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

    def last_words(self, files: InstanceFiles) -> str:
        """The end of what the agent had to say, for the service's log."""
        try:
            return files.log.read_bytes()[-2000:].decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def _await_end(self, directory: Path, process: int) -> None:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.poll()
        with self._lock:
            if self._processes.get(directory) == process:
                del self._processes[directory]
        os.close(process)
        self._on_exit()

    def _kill(self, files: InstanceFiles) -> None:
        """Kill the process that we started, or the one whose id was left and that leads a session, as agents do."""
        with self._lock:
            process = self._processes.get(files.directory)
            if process is not None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                return
        try:
            pid = int(files.pid.read_text())
            if os.getsid(pid) == pid:
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError) as error:
            _LOG.warning("the agent of %s could not be killed: %s", files.directory, error)
