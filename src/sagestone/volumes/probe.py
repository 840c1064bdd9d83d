"""Whether this machine makes encrypted volumes: found out by making one, of memory, in a process that leaves nothing.

`python -m sagestone.volumes.probe` is that process; it mounts in a mount namespace of its own, so that all is gone with
it, however it ends.
"""

import functools
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from sagestone.containers.sandbox.system import NEW_NS, NODEV, NOSUID, PRIVATE, RECURSIVE, mount, unshare
from sagestone.volumes.fscrypt import KEY_BYTES, add_key, protect, protected_by
from sagestone.volumes.image import MKFS, OPTIONS, find_mkfs, make_file_system
from sagestone.volumes.loop import attach

_PATIENCE_SECONDS = 60.0
_BYTES: Final = 64 * 1024**2
_PLACE: Final = Path("/tmp")  # covered in that namespace alone


class CannotEncrypt(Exception):
    """The text says why, and what to do."""


def complaint() -> str | None:
    """Why no volume can be encrypted here, and what to do; None when it works, which is tried until it has once."""
    try:
        _try()
    except CannotEncrypt as error:
        return str(error)
    return None


@functools.cache
def _try() -> None:
    why = _complaint()
    if why is not None:
        raise CannotEncrypt(why)  # which is not cached: somebody may do something about it


def _complaint() -> str | None:
    if sys.platform != "linux":
        return "volumes are encrypted by the kernel of Linux: run the service there"
    if os.geteuid() != 0:
        return "only root may mount them: run the service as root"
    if find_mkfs() is None:
        return f"{MKFS} is missing: install the package e2fsprogs"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sagestone.volumes.probe"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return f"it could not be tried: {error}"
    return None if done.returncode == 0 else done.stderr.strip() or f"the trial ended with {done.returncode}"


def main() -> None:
    """Exit code 0, or on standard error what does not work and what to do, and 1."""
    doing, then = "a mount namespace cannot be made", "the service needs CAP_SYS_ADMIN"
    try:
        unshare(NEW_NS)
        mount("", "/", flags=RECURSIVE | PRIVATE)
        image = os.memfd_create("sagestone-volume")
        os.ftruncate(image, _BYTES)
        doing, then = "no file system can be made", "look at the package e2fsprogs"
        make_file_system(image)
        doing = "no loop device can be had"
        then = "load the kernel's module (`modprobe loop`), or give the machine /dev/loop-control and loop devices"
        device = attach(image)
        doing, then = "ext4 with encryption cannot be mounted", "it needs CAP_SYS_ADMIN and CONFIG_FS_ENCRYPTION"
        mount(f"/proc/self/fd/{device}", str(_PLACE), "ext4", NOSUID | NODEV, OPTIONS)
        doing, then = "the kernel takes no key for a directory", "it needs CONFIG_FS_ENCRYPTION (Linux 5.4 or later)"
        identifier = add_key(_PLACE, secrets.token_bytes(KEY_BYTES))
        protected = _PLACE / "data"
        protected.mkdir()
        protect(protected, identifier)
        (protected / "file").write_bytes(b"readable")
        if protected_by(protected) != identifier or (protected / "file").read_bytes() != b"readable":
            raise OSError("it does not give back what was written")
    except OSError as error:
        sys.exit(f"{doing}: {error}; {then}")


if __name__ == "__main__":
    main()
