"""The process that holds a private network between sandboxes: it makes the bridge in its own namespaces and waits."""

import os
import signal
import sys

from sagestone.containers.sandbox.netlink import Links
from sagestone.containers.sandbox.shim import BRIDGE, boot_id, map_user, start_time
from sagestone.containers.sandbox.system import NEW_NET, NEW_USER, unshare


def main() -> None:
    """Read a lock's descriptor and the network's directory, report on standard output, stay until killed.

    The lock is held until the network is known to be held.
    """
    lock, _, directory = sys.stdin.buffer.read().partition(b" ")
    os.chdir(directory)
    if os.fork():
        os._exit(0)
    os.setsid()
    report = os.dup(1)
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), descriptor)
    try:
        user, group = os.geteuid(), os.getegid()
        if user != 0:
            unshare(NEW_USER)
            map_user(0, user, 0, group)
        unshare(NEW_NET)
        links = Links()
        links.up("lo")
        links.add_bridge(BRIDGE)
        links.close()
        with open("holder.new", "w") as file:  # noqa: PTH123
            file.write(f"{os.getpid()} {start_time(os.getpid())} {boot_id()}")
        os.rename("holder.new", "holder")  # noqa: PTH104
        os.close(int(lock))
    except OSError as error:
        os.write(report, f"{error.strerror}{f' ({error.filename})' if error.filename else ''}".encode())
        return
    try:
        os.write(report, b"started")
    except BrokenPipeError:
        pass  # whoever started us has died meanwhile; the network is found again
    os.close(report)
    while True:
        signal.pause()
