"""Loop devices: a file as a block device that goes when nobody uses it any more, whoever is killed meanwhile."""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

_CONTROL: Final = "/dev/loop-control"
_GET_FREE, _CONFIGURE, _GET_STATUS = 0x4C82, 0x4C0A, 0x4C05
_INFO: Final = struct.Struct("5Q4I64s64s32s2Q")  # loop_info64
_AUTOCLEAR = 4
_TRIES = 64


def attach(image: int) -> int:
    """An open loop device of an open file, the one that it has already if it has; raises OSError.

    The device is freed when it is neither open nor mounted anywhere.
    """
    known = find(image)
    return known if known is not None else _configure(image)


def find(image: int) -> int | None:
    """The loop device that an open file has, open; None: it has none."""
    status = os.fstat(image)
    for place in Path("/sys/block").glob("loop*/loop"):
        try:
            device = os.open(f"/dev/{place.parent.name}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            info = bytearray(_INFO.size)
            fcntl.ioctl(device, _GET_STATUS, info)
            if _INFO.unpack(info)[:2] == (_encoded(status.st_dev), status.st_ino):
                return device
        except OSError:  # it was freed meanwhile
            pass
        os.close(device)
    return None


def _configure(image: int) -> int:
    config = struct.pack("II", image, 0) + _INFO.pack(*[0] * 8, _AUTOCLEAR, b"", b"", b"", 0, 0) + bytes(64)
    for _ in range(_TRIES):
        control = os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC)
        try:
            number = fcntl.ioctl(control, _GET_FREE)
        finally:
            os.close(control)
        device = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(device, _CONFIGURE, config)
            return device
        except OSError as error:
            os.close(device)
            if error.errno != errno.EBUSY:  # another process was quicker
                raise
    raise OSError(errno.EBUSY, "no loop device becomes free", _CONTROL)


def _encoded(device: int) -> int:
    """A device number as the kernel writes it there (`huge_encode_dev`)."""
    major, minor = os.major(device), os.minor(device)
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)
