"""Mounts a volume where the service sees it, and where the container engine does: that may be another place.

As a program, `python -m sagestone.volumes.mounting NAMESPACE PLACE DEVICE` mounts the open DEVICE in the mount
namespace of an engine: one with threads cannot enter it.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sagestone.channels.fuse.mount import mounted_in, mounts_below, unmount
from sagestone.containers.mount_namespace import namespace_of
from sagestone.containers.sandbox.system import NEW_NS, NODEV, NOSUID, mount, setns
from sagestone.volumes.image import OPTIONS

_PATIENCE_SECONDS = 30.0


def mount_device(device: int, place: Path, namespace: str | None, held: Sequence[int] = ()) -> None:
    """Mount an open block device at a directory, unless something is mounted there already; raises OSError.

    `namespace` (`containers.mount_namespace`) is where; None: this process's own. `held` are descriptors that a process
    started for it keeps open until it has ended.
    """
    if os.fspath(place) in mounts_below(place, namespace):
        return
    if namespace is None:
        _mount(device, os.fspath(place))
        return
    command = [sys.executable, "-m", "sagestone.volumes.mounting", namespace, os.fspath(place), str(device)]
    done = subprocess.run(command, capture_output=True, text=True, pass_fds=[device, *held], timeout=_PATIENCE_SECONDS)
    if done.returncode != 0:
        raise OSError(f"in the engine's mount namespace: {done.stderr.strip()}")


def unmount_all(place: Path, namespaces: Sequence[str | None]) -> None:
    """Take away whatever is mounted at or below a place, in each of the namespaces, also while it is in use."""
    for namespace in dict.fromkeys(namespaces):
        for mounted in mounts_below(place, namespace):
            unmount(mounted, namespace)


def unmount_everywhere(device: int) -> None:
    """Take an open block device's mounts away in every namespace: a namespace made meanwhile has copies of its own."""
    number = os.fstat(device).st_rdev
    words = f"{os.major(number)}:{os.minor(number)}"
    ours = _inode(Path("/proc/self"))
    seen: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        inode = _inode(process)
        if inode is None or inode in seen:
            continue
        seen.add(inode)
        namespace = None if inode == ours else f"{process.name}:{inode}"
        for where, place in mounted_in(namespace):
            if where == words:
                with suppress(OSError):  # the namespace is gone meanwhile; the caller looks again
                    unmount(place, namespace)


def _inode(process: Path) -> int | None:
    try:
        return (process / "ns" / "mnt").stat().st_ino
    except OSError:
        return None


def _mount(device: int, place: str) -> None:
    mount(f"/proc/self/fd/{device}", place, "ext4", NOSUID | NODEV, OPTIONS)


def main() -> None:
    """Exit code 0, or a sentence on standard error and 1."""
    name, place, device = sys.argv[1:]
    process = namespace_of(name)
    if process is None:
        sys.exit(f"the mount namespace {name} is gone")
    source = f"/proc/self/fd/{device}"
    try:
        setns(os.open(process / "ns" / "mnt", os.O_RDONLY | os.O_CLOEXEC), NEW_NS)
        _mount(int(device), place)
    except OSError as error:
        sys.exit(f"{source}: {error}")


if __name__ == "__main__":
    main()
