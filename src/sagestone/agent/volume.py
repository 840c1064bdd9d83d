"""Watches how much of its volume an instance uses, cheaply: a walk at most every second, rarer where walks are long."""

import os
import time
from pathlib import Path

_EVERY_SECONDS = 1.0
_WALK_SHARE = 20  # a walk may take a twentieth of the time


class VolumeWatch:
    """The bytes on disk below a directory, against a limit (None: no limit, nothing is looked at)."""

    def __init__(self, root: Path, limit: int | None) -> None:
        self._root, self._limit = root, limit
        self._next_walk = 0.0
        self.last_used = 0  # bytes, when they were last looked at

    def measure(self) -> int:
        """Bytes used now; 0 where there is no limit."""
        return 0 if self._limit is None else disk_usage(self._root)

    def overrun(self) -> int | None:
        """The bytes used when they are more than the limit; looks only when it is time to."""
        if self._limit is None or time.monotonic() < self._next_walk:
            return None
        began = time.monotonic()
        self.last_used = used = disk_usage(self._root)
        ended = time.monotonic()
        self._next_walk = ended + max(_EVERY_SECONDS, _WALK_SHARE * (ended - began))
        return used if used > self._limit else None


def disk_usage(root: Path) -> int:
    """Bytes that the files below `root` take on disk; a file with several names counts once, links are not followed.

    Directories that vanish or are too deep to name meanwhile are passed over: the container goes on writing.
    """
    total = 0
    linked: set[tuple[int, int]] = set()
    waiting = [os.fspath(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif status.st_nlink > 1:
                        if (status.st_dev, status.st_ino) in linked:
                            continue
                        linked.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * 512
        except OSError:
            continue
    return total
