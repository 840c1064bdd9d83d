"""The mount namespace of an engine: what is mounted in ours need not be visible there, and so not in its containers."""

import os
import socket
import struct
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")


def engine_namespace(url: str) -> str | None:
    """`PID:INODE` of the namespace that the engine behind a unix socket lives in; None: ours, or not to be told."""
    if not url.startswith("unix://"):
        return None
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(url.removeprefix("unix://"))
            pid, _, _ = _CREDENTIALS.unpack(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        theirs = _inode(pid)
    except OSError:
        return None
    return None if theirs in (None, _inode(os.getpid())) else f"{pid}:{theirs}"


def namespace_of(name: str) -> Path | None:
    """The directory below /proc of the process that shows the namespace; None when it is gone."""
    pid, _, inode = name.partition(":")
    try:
        return Path(f"/proc/{pid}") if _inode(int(pid)) == int(inode) else None
    except (OSError, ValueError):
        return None


def _inode(pid: int) -> int | None:
    return Path(f"/proc/{pid}/ns/mnt").stat().st_ino if pid > 0 else None
