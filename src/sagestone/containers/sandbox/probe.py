"""Whether the sandbox can run on this machine, and what to do when it cannot."""

import os
import sys
from pathlib import Path

from sagestone.containers.runtime import RuntimeFailure
from sagestone.containers.sandbox.launch import launch


def probe() -> str | None:
    """None when containers can be made here, else why not and what helps."""
    if sys.platform != "linux":
        return f"it needs Linux, this is {sys.platform}; install Docker or Podman instead"
    try:
        answer = launch("trial", b"").decode(errors="replace")
    except RuntimeFailure as error:
        answer = str(error)
    return None if answer == "works" else _advice(answer)


def _advice(refusal: str) -> str:
    restricted = _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1"
    if os.geteuid() != 0 and restricted:
        return (
            f"AppArmor keeps plain users from making containers ({refusal}): run as root, or allow it with "
            "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or install Docker or Podman"
        )
    if os.geteuid() != 0 and (
        _sysctl("kernel/unprivileged_userns_clone") == "0" or _sysctl("user/max_user_namespaces") == "0"
    ):
        return (
            f"plain users may not make user namespaces ({refusal}): run as root, or allow it with "
            "`sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`"
        )
    if _in_container():
        return (
            f"the container that this runs in does not let it make containers ({refusal}): start that one with "
            "--privileged, or with --security-opt seccomp=unconfined --security-opt systempaths=unconfined (and for "
            "root --cap-add SYS_ADMIN --cap-add NET_ADMIN), or give it the engine's socket"
        )
    return f"the kernel refuses to make a container ({refusal}): run as root, or install Docker or Podman"


def _sysctl(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None


def _in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "container" in os.environ
