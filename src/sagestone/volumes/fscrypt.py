"""The kernel's encryption of directories (`<linux/fscrypt.h>`, policy version 2): AES-256-XTS, names by AES-256-CTS."""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32

_ADD_KEY, _REMOVE_KEY, _KEY_STATUS = 0xC0506617, 0xC0406618, 0xC080661A
_SET_POLICY, _GET_POLICY = 0x800C6613, 0xC0096616
_SHUTDOWN, _WITHOUT_LOG = 0x8004587D, 2
_BY_IDENTIFIER, _PRESENT = 2, 2
_VERSION, _XTS, _CTS, _PAD_32 = 2, 1, 4, 3
_SPECIFIER: Final = struct.Struct("II32s")
_POLICY: Final = struct.Struct("BBBB4s16s")
_IDENTIFIER_BYTES: Final = 16


def add_key(mounted: Path, key: bytes) -> bytes:
    """Hand a key to the kernel for the file system mounted there; the identifier that it gives. Raises OSError."""
    head = _SPECIFIER.pack(_BY_IDENTIFIER, 0, b"") + struct.pack("III28s", len(key), 0, 0, b"")
    request = bytearray(head + key)
    try:
        _ask(mounted, _ADD_KEY, request)
        return bytes(request[8 : 8 + _IDENTIFIER_BYTES])
    finally:
        request[:] = bytes(len(request))


def has_key(mounted: Path, identifier: bytes) -> bool:
    """Whether the kernel has that key for the file system mounted there; raises OSError."""
    request = bytearray(128)
    request[: _SPECIFIER.size] = _SPECIFIER.pack(_BY_IDENTIFIER, 0, identifier)
    _ask(mounted, _KEY_STATUS, request)
    return int(struct.unpack_from("I", request, 64)[0]) == _PRESENT


def forget_key(mounted: Path, identifier: bytes) -> None:
    """Have the kernel forget a key, and what it knows in the clear by it; raises OSError."""
    _ask(mounted, _REMOVE_KEY, bytearray(_SPECIFIER.pack(_BY_IDENTIFIER, 0, identifier) + bytes(24)))


def protect(directory: Path, identifier: bytes) -> None:
    """Have everything below an empty directory encrypted under that key from now on, names too; raises OSError."""
    _ask(directory, _SET_POLICY, bytearray(_POLICY.pack(_VERSION, _XTS, _CTS, _PAD_32, b"", identifier)))


def protected_by(directory: Path) -> bytes | None:
    """The identifier of the key that a directory is encrypted under; None: it is not."""
    request = bytearray(struct.pack("Q", _POLICY.size) + bytes(_POLICY.size))
    try:
        _ask(directory, _GET_POLICY, request)
    except OSError:
        return None
    return bytes(_POLICY.unpack_from(request, 8)[5])


def write_out(mounted: Path) -> None:
    """Have all that was written reach the disk; raises OSError where some of it did not since the last time."""
    with _opened(mounted) as descriptor:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"syncfs: {os.strerror(number)}", str(mounted))


def drop_unwritten(mounted: Path) -> None:
    """Give up the file system mounted there: what is not on the disk yet never will be. Raises OSError."""
    _ask(mounted, _SHUTDOWN, bytearray(struct.pack("I", _WITHOUT_LOG)))


def _ask(place: Path, call: int, request: bytearray) -> None:
    with _opened(place) as descriptor:
        fcntl.ioctl(descriptor, call, request)


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
