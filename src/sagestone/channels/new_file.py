"""One file of a channel being fetched, in pieces that may be on different threads."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial

from sagestone.channels.room import gibibytes
from sagestone.domain.failure import JobFailure
from sagestone.s3.client import S3, S3Failure, SourceObject, fault_of

PIECE = 32 * 1024 * 1024  # what one thread fetches at a time: one connection is slow at a distant store


class NewFile:
    """An object and the open, empty file it goes to; `whole` is called when all of it is there."""

    def __init__(self, s3: S3, channel: str, found: SourceObject, file: int, whole: Callable[[], None]) -> None:
        self._s3, self._channel, self._found, self._whole = s3, channel, found, whole
        self._file = open(file, "wb", buffering=0)  # noqa: SIM115  closed by the last piece
        self._lock = threading.Lock()
        self._left = max(1, -(-found.size // PIECE))

    def pieces(self, arrived: Callable[[int, int], None]) -> Iterator[Callable[[], None]]:
        """The work to do, in pieces; `arrived` is told the objects and the bytes that each completes."""
        for start in range(0, max(1, self._found.size), PIECE):
            yield partial(self._fetch, start, min(start + PIECE, self._found.size), arrived)

    def _fetch(self, start: int, stop: int, arrived: Callable[[int, int], None]) -> None:
        try:
            self._s3.fetch(self._found, self._file.fileno(), start, stop)
        except S3Failure as error:
            raise JobFailure(fault_of(error), f"Data download failed:Unable to download object {error}") from error
        except OSError as error:
            raise self._unwritable(error) from error
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._close()
        arrived(int(last), stop - start)

    def _close(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        if size != self._found.size:
            raise JobFailure(
                "internal", f"channel {self._channel}: {self._found.uri} came with {size} of {self._found.size} bytes"
            )
        self._file.close()
        self._whole()

    def _unwritable(self, error: OSError) -> JobFailure:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return JobFailure(
                "internal", f"channel {self._channel}: {self._found.uri} cannot be written: {error.strerror}"
            )
        disk = os.fstatvfs(self._file.fileno())
        free = gibibytes(disk.f_bavail * disk.f_frsize)
        return JobFailure(
            "client",
            f"Data download failed:Insufficient disk space: channel {self._channel} has no room for "
            f"{self._found.uri} of {gibibytes(self._found.size)}: {error.strerror}, {free} are left on the disk of the "
            "machine. Free some, or read the channel with FastFile or Pipe mode, which keep nothing on disk.",
        )
