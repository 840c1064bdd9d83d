"""Looking for bytes in what lies on the disk, in files that are mostly holes too."""

import os
from collections.abc import Iterator
from pathlib import Path

_PIECE = 1 << 20


def holds(path: Path, words: bytes) -> bool:
    """Whether the bytes are anywhere in the file."""
    last = b""
    for piece in _pieces(path):
        if words in last + piece:
            return True
        last = piece[-len(words) :]
    return False


def holders(directory: Path, words: bytes) -> list[str]:
    """The files of a directory's own file system that hold the bytes; what is mounted below is not looked at."""
    found, device = [], directory.stat().st_dev
    for place, names, files in os.walk(directory):
        names[:] = [name for name in names if (Path(place) / name).lstat().st_dev == device]
        for name in files:
            path = Path(place) / name
            if path.is_file() and not path.is_symlink() and holds(path, words):
                found.append(str(path.relative_to(directory)))
    return found


def _pieces(path: Path) -> Iterator[bytes]:
    """What is in the file but for its holes."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        end = 0
        while True:
            try:
                start = os.lseek(descriptor, end, os.SEEK_DATA)
            except OSError:  # a hole to the end
                return
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            while start < end:
                piece = os.pread(descriptor, min(_PIECE, end - start), start)
                if not piece:
                    return
                yield piece
                start += len(piece)
    finally:
        os.close(descriptor)
