"""A file that holds an ext4 file system: full of holes, so that it takes of the disk what is written, no more."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

MKFS: Final = "mkfs.ext4"
_PATHS: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where a plain user's path does not lead
_MIB = 1024**2
_JOURNAL_MB = 16
_BYTES_PER_INODE = 8192  # half of what is usual: channels have many small files
_PATIENCE_SECONDS = 120.0

#: What the mounted file system is told: holes are zeros already, and what is removed becomes a hole again.
OPTIONS: Final = "noinit_itable,discard,errors=remount-ro"


def find_mkfs() -> str | None:
    """The program that makes the file system; None where it is not installed."""
    return shutil.which(MKFS, path=_PATHS)


def image_bytes(room: int) -> int:
    """How large a file has to be for `room` bytes of a job's own: inodes, journal and block lists come on top."""
    return (room + room // 20 + (_JOURNAL_MB + 16) * _MIB) // _MIB * _MIB


def make_file_system(image: int) -> None:
    """Make one in an open file, which has its size and nothing else; raises OSError."""
    program = find_mkfs()
    if program is None:
        raise OSError(f"{MKFS} is not installed (package e2fsprogs)")
    features = "encrypt,extent,flex_bg,metadata_csum,64bit"
    extended = "lazy_itable_init=1,lazy_journal_init=1,nodiscard"
    command = [program, "-q", "-F", "-b", "4096", "-m", "0", "-i", str(_BYTES_PER_INODE), "-O", features]
    command += ["-J", f"size={_JOURNAL_MB}", "-E", extended, f"/proc/self/fd/{image}"]
    done = subprocess.run(
        command, capture_output=True, text=True, pass_fds=[image], stdin=subprocess.DEVNULL,
        timeout=_PATIENCE_SECONDS, env={"PATH": _PATHS},
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"{MKFS}: {done.stderr.strip() or f'ended with {done.returncode}'}")


def make_image(place: Path, room: int) -> None:
    """A new file with a file system that has that room; raises OSError."""
    image = os.open(place, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(image, image_bytes(room))
        make_file_system(image)
        os.fsync(image)
    finally:
        os.close(image)
