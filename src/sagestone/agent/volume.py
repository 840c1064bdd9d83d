"""Watches how much of its volume an instance uses, cheaply: a walk at most every second, rarer where walks are long."""

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

_EVERY_SECONDS = 1.0
_WALK_SHARE = 20  # a walk may take a twentieth of the time
_BLOCK = 4096  # what every name counts for at least
_DEEPEST = 600  # each level costs an open descriptor; no key of S3 makes that many
#: What is used at least where directories lie deeper: whatever is in them cannot be told.
UNMEASURED = 1 << 60
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class VolumeWatch:
    """The bytes on disk below some places, against a limit (None: no limit, nothing is looked at)."""

    def __init__(self, roots: Sequence[Path], limit: int | None) -> None:
        self._roots, self.limit = roots, limit
        self._next_walk = 0.0
        self.last_used = 0  # bytes, when they were last looked at

    def measure(self) -> int:
        """Bytes used now; 0 where there is no limit."""
        return 0 if self.limit is None else sum(map(disk_usage, self._roots))

    def overrun(self) -> int | None:
        """The bytes used when they are more than the limit; looks only when it is time to."""
        if self.limit is None or time.monotonic() < self._next_walk:
            return None
        began = time.monotonic()
        used = self.measure()
        self.last_used = used if used < UNMEASURED else self.limit
        ended = time.monotonic()
        self._next_walk = ended + max(_EVERY_SECONDS, _WALK_SHARE * (ended - began))
        return used if used > self.limit else None


def disk_usage(root: Path) -> int:
    """Bytes that a file, or what lies below a directory, takes on disk; 4096 at least a name: inodes are used up too.

    A file with several names counts once, holes do not count. No link is followed, whatever the program that fills the
    directory puts in a directory's place; what vanishes meanwhile is passed over. UNMEASURED or more where directories
    lie too deep, or where one of our own user's is closed to us.
    """
    try:
        status = os.lstat(root)
        if stat.S_ISREG(status.st_mode):
            return max(status.st_blocks * 512, _BLOCK)
        directory = os.open(root, _DIRECTORY)
    except OSError:
        return 0
    return _usage(directory, 1)


def _usage(directory: int, depth: int) -> int:
    """The same of an open directory, which is closed."""
    total = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(status.st_mode):
                        # each of its names counts for its part: a list of the files seen would grow without bound
                        total += max(status.st_blocks * 512 // status.st_nlink, _BLOCK)
                        continue
                    total += max(status.st_blocks * 512, _BLOCK)
                    if depth == _DEEPEST:
                        return UNMEASURED
                    below = _enter(entry.name, directory, status.st_uid)
                except OSError:
                    continue
                if below < 0:
                    return UNMEASURED
                total += _usage(below, depth + 1)
                if total >= UNMEASURED:
                    break
    except OSError:
        pass
    finally:
        os.close(directory)
    return total


def _enter(name: str, parent: int, owner: int) -> int:
    """The directory, open; -1 where only its owner, who is this user, can have closed it. Raises OSError."""
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        if owner != os.geteuid():
            raise
        return -1
