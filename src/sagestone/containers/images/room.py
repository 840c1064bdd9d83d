"""What is left of the disk while an archive that nobody vouches for is unpacked."""

import os
from pathlib import Path
from typing import Final

from sagestone.containers.runtime import RuntimeFailure

LEAST_FREE: Final = 1 << 30
_LEAST_INODES: Final = 10_000
_LOOK_BYTES: Final = 32 << 20


class Room:
    """Looks at the disk now and then: unpacking ends while others still have room, whatever a small file grows to."""

    def __init__(self, directory: Path, least_free: int) -> None:
        self._directory, self._least_free = directory, least_free
        self._taken = self._unseen = 0

    def take(self, count: int) -> None:
        """So many bytes come out of the archive; raises RuntimeFailure where less than the least would be left."""
        self._taken += count
        self._unseen += count
        if self._unseen < _LOOK_BYTES:
            return
        self._unseen = 0
        disk = os.statvfs(self._directory)
        if disk.f_bavail * disk.f_frsize < self._least_free or (disk.f_files and disk.f_favail < _LEAST_INODES):
            raise RuntimeFailure(
                f"{self._taken} bytes have come out of it, and the disk of {self._directory} has less than "
                f"{self._least_free} bytes or {_LEAST_INODES} inodes left"
            )
