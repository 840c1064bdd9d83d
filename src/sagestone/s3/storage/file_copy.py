"""Copies bytes between files in the kernel, by reference where the file system can (reflink)."""

import errno
import os

PIECE = 64 * 1024 * 1024
_BY_HAND = 1024 * 1024
_NOT_HERE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}


def copy_range(source: int, target: int, size: int, offset: int = 0) -> None:
    """Append `size` bytes of the file `source` from `offset` on at the target's position.

    Raises OSError; EOFError when the source is shorter.
    """
    copied = _copy_file_range(source, target, size, offset)
    while copied < size:
        sent = os.sendfile(target, source, offset + copied, min(PIECE, size - copied))
        if sent == 0:
            raise _too_short(offset + copied, offset + size)
        copied += sent


def copy_place(source: int, target: int, start: int, stop: int) -> None:
    """Copy the bytes from `start` to before `stop` to the same place of the target, whose position stays.

    Raises OSError; EOFError when the source is shorter.
    """
    at = start + _copy_file_range(source, target, stop - start, start, start)
    while at < stop:
        piece = os.pread(source, min(_BY_HAND, stop - at), at)
        if not piece:
            raise _too_short(at, stop)
        at += os.pwrite(target, piece, at)


def _copy_file_range(source: int, target: int, size: int, offset: int, place: int | None = None) -> int:
    copied = 0
    while copied < size:
        to = None if place is None else place + copied
        try:
            count = os.copy_file_range(
                source, target, min(PIECE, size - copied), offset_src=offset + copied, offset_dst=to
            )
        except OSError as error:
            if error.errno in _NOT_HERE:
                return copied
            raise
        if count == 0:
            return copied
        copied += count
    return copied


def _too_short(found: int, expected: int) -> EOFError:
    return EOFError(f"a file ends after {found} bytes; {expected} were expected")
