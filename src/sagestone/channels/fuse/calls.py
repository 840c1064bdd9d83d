"""The kernel's calls for mounting a file system in user space, as root."""

import ctypes
import os

from sagestone.containers.sandbox.system import NODEV, NOSUID, RDONLY, mount

_DETACH = 2
_LARGEST_READ = 1024 * 1024
_NOTHING_THERE = (2, 22)  # ENOENT, EINVAL


def mount_device(place: str, device: int) -> None:
    """Mount, read-only and for every user, what is answered on an open /dev/fuse; raises OSError."""
    who = f"fd={device},rootmode=40555,user_id=0,group_id=0"
    options = f"{who},default_permissions,allow_other,max_read={_LARGEST_READ}"
    mount("sagestone", place, "fuse.sagestone", RDONLY | NOSUID | NODEV, options)


def unmount_place(place: str) -> None:
    """Take away what is mounted there, also while somebody uses it; nothing there is fine. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(place), _DETACH) != 0:
        number = ctypes.get_errno()
        if number not in _NOTHING_THERE:
            raise OSError(number, f"cannot unmount: {os.strerror(number)}", place)
