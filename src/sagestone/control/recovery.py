"""What a service does when it starts: be alone, forget its old leases, and put away what no row needs."""

import fcntl
import os
from pathlib import Path

from sagestone.placement.interface import Placement
from sagestone.store.interface import Store


class HomeInUse(Exception):
    """Another service works in this home directory; the text names it."""


class HomeLock:
    """Held as long as the service lives, and given up by the system however it ends. Close it last."""

    def __init__(self, home: Path) -> None:
        """Take the lock of that home; raises HomeInUse."""
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(home / "service.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise HomeInUse(
                f"another Sagestone (process {holder}) works in {home}: stop it, or choose another home directory "
                "with --home or SAGESTONE_HOME"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let another service have the home; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def unneeded(store: Store, placement: Placement) -> list[str]:
    """Jobs that have something on the machines and that no unfinished row needs: they ended, or were never stored."""
    needed = set(store.unfinished_jobs())
    return [key for key in placement.find() if key not in needed]
