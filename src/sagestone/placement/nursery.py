"""The nursery that forks this machine's agents (`sagestone.agent.nursery`), from the service's side."""

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sagestone.agent.nursery import LONGEST_REQUEST, NURSERY, ROOM

_ANSWER_SECONDS = 60.0  # at first it has all its modules to load, on a machine that may be busy


#: Variables that an agent does not inherit: whom it speaks to and with which keys stands in its Parts alone.
_OWN_PREFIXES = ("AWS_", "SAGESTONE_")
#: Else each of an agent's threads keeps what it once held: with many piped channels a third of all its memory.
_MEMORY = {"MALLOC_ARENA_MAX": "2"}


class AgentNotStarted(Exception):
    """The machine has no room for another process, or the nursery does not come up; the text says which."""


class Nursery:
    """Started at the first need, and again when it has died. Its agents have `environment`, but for what is secret, and
    may open `open_files` files before they ask for more; None: as many as this process."""

    def __init__(
        self,
        environment: Mapping[str, str],
        program: Sequence[str] = (sys.executable, "-m", "sagestone.agent"),
        open_files: int | None = None,
    ) -> None:
        inherited = {name: value for name, value in environment.items() if not name.startswith(_OWN_PREFIXES)}
        self._open_files = open_files
        self._program, self._environment = program, _MEMORY | inherited
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def make_ready(self) -> None:
        """Have it load what agents need while something else is done."""
        with self._lock:
            self._ensure()

    def fork(self, directory: Path, parts: bytes) -> int:
        """An agent for that instance; a descriptor of its process, which is the caller's. Raises AgentNotStarted.

        Where the nursery dies over it there may be an agent nevertheless, which then holds the instance's lock.
        """
        request = os.fsencode(directory) + b"\0" + parts
        if len(request) > LONGEST_REQUEST:
            raise AgentNotStarted(f"the agent of {directory} would get {len(request)} bytes of parts, that is too much")
        with self._lock:
            for last in (False, True):
                asked = self._ensure()
                try:
                    asked.sendall(request)
                    answer, descriptors, _, _ = socket.recv_fds(asked, 4096, 1)
                except OSError as error:
                    answer, descriptors = f"-{error}".encode(), []
                if descriptors:
                    os.set_inheritable(descriptors[0], False)
                    return descriptors[0]
                if answer.startswith(b"-") or not answer:
                    self._drop()
                if last:
                    raise AgentNotStarted(
                        f"the agent of {directory} could not be started: {answer[1:].decode() or 'its nursery died'}"
                    )
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """End it and wait until it is gone; agents go on."""
        with self._lock:
            process = self._process
            self._drop()
        if process is not None:
            process.wait()

    def _ensure(self) -> socket.socket:
        if self._socket is not None and self._process is not None and self._process.poll() is None:
            return self._socket
        self._drop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [*self._program, NURSERY, str(theirs.fileno()), ROOM],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        if self._open_files is not None:
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (self._open_files, hard))
        self._socket = ours
        return ours

    def _drop(self) -> None:
        """Without its socket it ends by itself, when it has not yet."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            threading.Thread(target=self._process.wait, name="nursery-wait", daemon=True).start()
        self._socket = self._process = None
