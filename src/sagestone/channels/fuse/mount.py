"""Mounting a file system in user space, and taking it away: as root by the kernel's calls, else by `fusermount3`."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sagestone.channels.fuse.calls import mount_device, unmount_place
from sagestone.channels.fuse.protocol import READ_AHEAD
from sagestone.containers.mount_namespace import namespace_of

DEVICE = Path("/dev/fuse")
SETTINGS = Path("/etc/fuse.conf")
_PATIENCE_SECONDS = 10.0


class CannotMount(Exception):
    """This machine mounts no file system in user space for this user; the text says what to do."""


def complaint() -> str | None:
    """Why nothing can be mounted here, and what to do; None when it should work."""
    if not DEVICE.exists():
        return f"{DEVICE} is missing: load the kernel's module (`modprobe fuse`), or give the machine this device"
    opens = os.access(DEVICE, os.R_OK | os.W_OK)
    if os.geteuid() == 0:
        return None if opens else f"{DEVICE} cannot be opened"
    if shutil.which("fusermount3") is None:
        return "fusermount3 is missing, which mounts for users other than root: install the package fuse3"
    if not opens:  # the helper opens it as the user who runs it
        return f"{DEVICE} cannot be opened by this user: give it its usual mode (`chmod 666 {DEVICE}`)"
    if not _has_name(os.geteuid()):
        return f"user {os.geteuid()} has no name, and fusermount3 mounts only for one that has: give it an account"
    return None


def others_complaint() -> str | None:
    """As `complaint`, of mounts that other users may read too."""
    if (why := complaint()) is not None or os.geteuid() == 0:
        return why
    with contextlib.suppress(OSError):
        if any(line.strip() == "user_allow_other" for line in SETTINGS.read_text().splitlines()):
            return None
    return f"other users may not read what this one mounts: write user_allow_other into {SETTINGS}"


def mount_fuse(place: Path, namespace: str | None = None, *, for_others: bool = False) -> int:
    """Mount at an empty directory, read-only; the descriptor to answer requests on. Raises CannotMount.

    `for_others`: not where other users could not read it.
    `namespace` (`containers.mount_namespace`) is where it has to be visible; None: in this process's own.
    """
    why = complaint()
    if why is not None:
        raise CannotMount(why)
    try:
        if os.geteuid() == 0:
            return _mount_as_root(place, namespace)
        device = _mount_as_user(place, for_others=for_others)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotMount(f"nothing can be mounted at {place}: {error}") from error
    if namespace is not None and os.fspath(place) not in mounts_below(place, namespace):
        unmount(os.fspath(place))
        raise CannotMount(
            "The container engine lives in a mount namespace that mounts of this machine do not reach: make them "
            "reach it (`mount --make-rshared /`, then restart the engine), or run the service as root"
        )
    return device


def hasten(place: Path, namespace: str | None = None) -> None:
    """Let the kernel ask for more at a time; only root may, and reading works without."""
    for device, mounted in mounted_in(namespace):
        if mounted == os.fspath(place):
            with contextlib.suppress(OSError):
                Path(f"/sys/class/bdi/{device}/read_ahead_kb").write_text(f"{READ_AHEAD // 1024}\n")


def unmount(place: str, namespace: str | None = None) -> None:
    """Take away what is mounted there, also while somebody uses it; nothing there is fine. Raises OSError."""
    if namespace is not None:
        _inside(namespace, "unmount", place)
    elif os.geteuid() == 0:
        unmount_place(place)
    else:
        command = ["fusermount3", "-u", "-z", "--", place]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS)
        if done.returncode != 0 and place in mounts_below(Path(place)):
            raise OSError(f"cannot unmount {place}: {done.stderr.strip()}")


def mounts_below(directory: Path, namespace: str | None = None) -> list[str]:
    """Mount points at or below a directory, the innermost first."""
    start = os.fspath(directory)
    found = [place for _, place in mounted_in(namespace) if place == start or place.startswith(f"{start}/")]
    return sorted(found, key=len, reverse=True)


def mounted_in(namespace: str | None) -> list[tuple[str, str]]:
    """Device (`major:minor`) and place of everything mounted; nothing of a namespace that is gone."""
    process = Path("/proc/self") if namespace is None else namespace_of(namespace)
    if process is None:
        return []
    with (process / "mountinfo").open("rb") as lines:
        return [(words[2].decode(), _unescaped(words[4])) for words in map(bytes.split, lines)]


def _mount_as_root(place: Path, namespace: str | None) -> int:
    device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        if namespace is None:
            mount_device(os.fspath(place), device)
        else:
            _inside(namespace, "mount", os.fspath(place), str(device), pass_fds=[device])
    except BaseException:
        os.close(device)
        raise
    return device


def _inside(namespace: str, *action: str, pass_fds: Sequence[int] = ()) -> None:
    command = [sys.executable, "-m", "sagestone.channels.fuse.inside", namespace, *action]
    done = subprocess.run(command, capture_output=True, text=True, pass_fds=pass_fds, timeout=_PATIENCE_SECONDS)
    if done.returncode != 0:
        raise OSError(f"in the engine's mount namespace: {done.stderr.strip()}")


def _mount_as_user(place: Path, *, for_others: bool) -> int:
    """By the helper that is set-user-id; users other than ourselves see it where /etc/fuse.conf allows that."""
    refused = ""
    for others in (",allow_other",) if for_others else (",allow_other", ""):
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


def _has_name(user: int) -> bool:
    try:
        return bool(pwd.getpwuid(user).pw_name)
    except KeyError:
        return False


def _unescaped(word: bytes) -> str:
    """mountinfo writes blanks and the like as a backslash and three octal digits."""
    parts = word.split(b"\\")
    return os.fsdecode(parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:]))
