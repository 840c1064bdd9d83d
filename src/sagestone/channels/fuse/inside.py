"""Mounts and unmounts in another mount namespace: `python -m sagestone.channels.fuse.inside NAMESPACE ACTION …`.

A process of its own, since one with threads cannot enter a namespace. ACTION is `mount PLACE DEVICE` (the number of an
open /dev/fuse) or `unmount PLACE`.
"""

import os
import sys

from sagestone.channels.fuse.calls import mount_device, unmount_place
from sagestone.containers.mount_namespace import namespace_of
from sagestone.containers.sandbox.system import NEW_NS, setns


def main() -> None:
    """Exit code 0, or a sentence on standard error and 1."""
    name, action, place, *device = sys.argv[1:]
    process = namespace_of(name)
    if process is None:
        sys.exit(0 if action == "unmount" else f"the mount namespace {name} is gone")
    try:
        setns(os.open(process / "ns" / "mnt", os.O_RDONLY | os.O_CLOEXEC), NEW_NS)
        if action == "mount":
            mount_device(place, int(device[0]))
        else:
            unmount_place(place)
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
