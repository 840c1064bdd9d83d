"""Mounting a file system in user space, and taking it away: as root by the kernel's calls, else by `fusermount3`."""

import ctypes
import os
import shutil
import socket
import subprocess
from pathlib import Path

from sagestone.containers.sandbox_system import NODEV, NOSUID, RDONLY, mount

DEVICE = Path("/dev/fuse")
_DETACH = 2
_PATIENCE_SECONDS = 10.0
_READ_AHEAD_KIB = 4096
_LARGEST_READ = 1024 * 1024


class CannotMount(Exception):
    """This machine mounts no file system in user space for this user; the text says what to do."""


def complaint() -> str | None:
    """Why nothing can be mounted here, and what to do; None when it should work."""
    if not DEVICE.exists():
        return f"{DEVICE} is missing: load the kernel's module (`modprobe fuse`), or give the machine this device"
    if os.geteuid() == 0:
        return None if os.access(DEVICE, os.R_OK | os.W_OK) else f"{DEVICE} cannot be opened"
    if shutil.which("fusermount3") is None:
        return "fusermount3 is missing, which mounts for users other than root: install the package fuse3"
    return None


def mount_fuse(place: Path) -> int:
    """Mount at an empty directory, read-only; the descriptor to answer requests on. Raises CannotMount."""
    why = complaint()
    if why is not None:
        raise CannotMount(why)
    try:
        return _mount_as_root(place) if os.geteuid() == 0 else _mount_as_user(place)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotMount(f"nothing can be mounted at {place}: {error}") from error


def hasten(place: Path) -> None:
    """Let the kernel ask for more at a time; only root may, and reading works without."""
    device = os.lstat(place).st_dev
    try:
        Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb").write_text(f"{_READ_AHEAD_KIB}\n")
    except OSError:
        return


def unmount(place: str) -> None:
    """Take away what is mounted there, also while somebody uses it; nothing there is fine. Raises OSError."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.umount2(os.fsencode(place), _DETACH) != 0 and ctypes.get_errno() not in (2, 22):  # ENOENT, EINVAL
            number = ctypes.get_errno()
            raise OSError(number, f"cannot unmount: {os.strerror(number)}", place)
        return
    command = ["fusermount3", "-u", "-z", "--", place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS)
    if done.returncode != 0 and place in mounts_below(Path(place)):
        raise OSError(f"cannot unmount {place}: {done.stderr.strip()}")


def mounts_below(directory: Path) -> list[str]:
    """Mount points at or below a directory, the innermost first."""
    start = os.fspath(directory)
    with Path("/proc/self/mountinfo").open("rb") as lines:
        places = [_unescaped(line.split()[4]) for line in lines]
    found = [place for place in places if place == start or place.startswith(f"{start}/")]
    return sorted(found, key=len, reverse=True)


def _mount_as_root(place: Path) -> int:
    device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    options = (
        f"fd={device},rootmode=40555,user_id=0,group_id=0,default_permissions,allow_other,max_read={_LARGEST_READ}"
    )
    try:
        mount("sagestone", os.fspath(place), "fuse.sagestone", RDONLY | NOSUID | NODEV, options)
    except BaseException:
        os.close(device)
        raise
    return device


def _mount_as_user(place: Path) -> int:
    """By the helper that is set-user-id; users other than ourselves see it where /etc/fuse.conf allows that."""
    refused = ""
    for others in (",allow_other", ""):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            done = subprocess.run(
                ["fusermount3", "-o", f"ro,nosuid,nodev,fsname=sagestone,default_permissions{others}", "--", place],
                env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
            )
            theirs.close()
            if done.returncode == 0:
                _, descriptors, _, _ = socket.recv_fds(ours, 16, 1)
                if descriptors:
                    os.set_inheritable(descriptors[0], False)
                    return descriptors[0]
        refused = done.stderr.strip()
    raise CannotMount(f"fusermount3 refused: {refused}")


def _unescaped(word: bytes) -> str:
    """mountinfo writes blanks and the like as a backslash and three octal digits."""
    parts = word.split(b"\\")
    return os.fsdecode(parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:]))
