"""Notices that the machine's own disk is full while a container runs on it."""

import os
import threading
from pathlib import Path
from types import TracebackType

_EVERY_SECONDS = 0.5
_LITTLE = 1 << 20  # bytes


class DiskWatch:
    """Whether the file system of a place was full at any look.

    It looks from a thread of its own: what an agent has to tell waits for room, and once there is room it is too late
    to find out why the program failed.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._over = threading.Event()
        self.was_full = False

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, name="disk-watch", daemon=True).start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()

    def look(self) -> None:
        """Look at once."""
        status = os.statvfs(self._place)
        self.was_full |= status.f_bavail * status.f_frsize < _LITTLE

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self.look()
