"""The process that holds a private network between sandboxes: it makes the bridge in its own namespaces and waits."""

import os
import signal
import sys

from sagestone.containers.sandbox.netlink import Links
from sagestone.containers.sandbox.shim import BRIDGE, boot_id, map_user, start_time
from sagestone.containers.sandbox.system import NEW_NET, NEW_USER, unshare


def main() -> None:
    """Read the network's directory from standard input, report on standard output, stay until killed."""
    os.chdir(sys.stdin.buffer.read())
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
    except OSError as error:
        os.write(report, f"{error.strerror}{f' ({error.filename})' if error.filename else ''}".encode())
        return
    os.write(report, b"started")
    os.close(report)
    os.chdir("/")
    while True:
        signal.pause()
