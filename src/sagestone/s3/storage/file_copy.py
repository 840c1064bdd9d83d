"""Copies bytes between files in the kernel, by reference where the file system can (reflink)."""

import errno
import os

PIECE = 64 * 1024 * 1024
_NOT_HERE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}


def copy_range(source: int, target: int, size: int, offset: int = 0) -> None:
    """Append `size` bytes of the file `source` from `offset` on at the target's position.

    Raises OSError; EOFError when the source is shorter.
    """
    copied = _copy_file_range(source, target, size, offset)
    while copied < size:
        sent = os.sendfile(target, source, offset + copied, min(PIECE, size - copied))
        if sent == 0:
            raise EOFError(f"a file ends after {offset + copied} bytes; {offset + size} were expected")
        copied += sent


def _copy_file_range(source: int, target: int, size: int, offset: int) -> int:
    copied = 0
    while copied < size:
        try:
            count = os.copy_file_range(source, target, min(PIECE, size - copied), offset_src=offset + copied)
        except OSError as error:
            if error.errno in _NOT_HERE:
                return copied
            raise
        if count == 0:
            return copied
        copied += count
    return copied
