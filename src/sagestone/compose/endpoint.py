"""Where the service of a home listens: told by a file that lives as long as the service."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Any

import msgspec

from sagestone.agent.parts import RuntimePart
from sagestone.file_lock import is_held
from sagestone.settings import Settings

_BLINK_SECONDS = 0.3
_STARTING_SECONDS = 5.0


class HomeLock:
    """Held by the one service of a home for as long as it lives; the kernel lets go of it when the process dies."""

    def __init__(self, home: Path) -> None:
        self._path = home / "service.lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Whether this process now is the home's service.

        Tried for a moment: a command that looks whether a service runs has the lock for the blink of an eye.
        """
        file = self._path.open("a")
        deadline = time.monotonic() + _BLINK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                file.close()
                return False
            self._file = file
            return True

    def release(self) -> None:
        """Let go; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None


def write_endpoint(home: Path, endpoint: str, inside: str, runtime: RuntimePart) -> None:
    """Tell other commands where the service of this home listens, and which runtime it uses.

    `inside` is where jobs and commands of this machine reach it: never with TLS, whose names they could not check.
    """
    fresh = home / "service.json.new"
    facts = {"endpoint": endpoint, "inside": inside, "pid": os.getpid(), "runtime": msgspec.to_builtins(runtime)}
    fresh.write_bytes(msgspec.json.encode(facts))
    fresh.replace(home / "service.json")


def remove_endpoint(home: Path) -> None:
    """Take the file away; idempotent."""
    (home / "service.json").unlink(missing_ok=True)


def running_endpoint(settings: Settings) -> str | None:
    """The endpoint of the service that runs for this home; None when none does."""
    facts = _running(settings.home)
    return None if facts is None else str(facts["endpoint"])


def inside_endpoint(settings: Settings) -> str | None:
    """Where commands of this machine reach the service that runs for this home; None when none does."""
    facts = _running(settings.home)
    return None if facts is None else str(facts["inside"])


def running_runtime(settings: Settings) -> RuntimePart | None:
    """The runtime of the service that runs for this home; None when none does."""
    facts = _running(settings.home)
    return None if facts is None else msgspec.convert(facts["runtime"], RuntimePart)


def _running(home: Path) -> dict[str, Any] | None:
    """What the service of this home tells of itself; one that is just starting is waited for."""
    deadline = time.monotonic() + _STARTING_SECONDS
    while is_held(home / "service.lock"):
        try:
            facts: dict[str, Any] = msgspec.json.decode((home / "service.json").read_bytes())
        except FileNotFoundError:
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.02)
        else:
            return facts
    return None
