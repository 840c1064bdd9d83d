"""Tries every right that a sandbox needs, in a process of its own that then ends."""

import os

from sagestone.containers.sandbox.filter import filter_calls
from sagestone.containers.sandbox.netlink import Links
from sagestone.containers.sandbox.shim import map_user
from sagestone.containers.sandbox.system import (
    NEW_IPC,
    NEW_NET,
    NEW_NS,
    NEW_PID,
    NEW_USER,
    NEW_UTS,
    NOSUID,
    PRIVATE,
    RECURSIVE,
    mount,
    renounce_privileges,
    unshare,
)


def main() -> None:
    """Report "works" on standard output, or what was refused."""
    try:
        user, group = os.geteuid(), os.getegid()
        if user != 0:
            unshare(NEW_USER)
            map_user(0, user, 0, group)
        unshare(NEW_NET)
        links = Links()
        links.up("lo")
        links.close()
        unshare(NEW_PID)
        child = os.fork()
        if not child:
            _mount()
        _, status = os.waitpid(child, 0)
        if status == 0:
            os.write(1, b"works")
    except OSError as error:
        os.write(1, (error.strerror or str(error)).encode())


def _mount() -> None:
    try:
        unshare(NEW_NS | NEW_IPC | NEW_UTS)
        mount("", "/", flags=RECURSIVE | PRIVATE)
        mount("tmpfs", "/tmp", "tmpfs", NOSUID)
        os.mkdir("/tmp/proc")  # noqa: PTH102
        mount("proc", "/tmp/proc", "proc")
        renounce_privileges()
        filter_calls()
    except OSError as error:
        os.write(1, f"{error.strerror}{f' ({error.filename})' if error.filename else ''}".encode())
        os._exit(1)
    os._exit(0)
