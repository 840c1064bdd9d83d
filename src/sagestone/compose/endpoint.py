"""Where the service of a home listens: told by a file that lives as long as the service."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from sagestone.settings import Settings


class HomeLock:
    """Held by the one service of a home for as long as it lives; the kernel lets go of it when the process dies."""

    def __init__(self, home: Path) -> None:
        self._path = home / "service.lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Whether this process now is the home's service."""
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let go; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None


def write_endpoint(home: Path, endpoint: str) -> None:
    """Tell other commands where the service of this home listens."""
    fresh = home / "service.json.new"
    fresh.write_text(json.dumps({"endpoint": endpoint, "pid": os.getpid()}))
    fresh.replace(home / "service.json")


def remove_endpoint(home: Path) -> None:
    """Take the file away; idempotent."""
    (home / "service.json").unlink(missing_ok=True)


def running_endpoint(settings: Settings) -> str | None:
    """The endpoint of the service that runs for this home; None when none does."""
    try:
        with (settings.home / "service.lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return str(json.loads((settings.home / "service.json").read_text())["endpoint"])
    except FileNotFoundError:
        return None
    return None
