"""Facts about this machine that placement and `sagestone doctor` ask for."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CgroupVersion = Literal["none", "v1", "v2", "hybrid"]

#: Names of processors as images write them, by the names that kernels give.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}

_GPU = re.compile(r"GPU \d+: .*\(UUID: (GPU-[0-9A-Fa-f-]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What jobs on this machine can use."""

    cpus: int  # that this process may run on
    memory_bytes: int  # bounded by the control group this process is in, where it is
    gpus: tuple[str, ...]  # UUIDs of the NVIDIA GPUs that answer, in the driver's order
    architecture: str  # as in images: amd64, arm64
    root: bool
    cgroups: CgroupVersion


def machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        cpus=_cpus(),
        memory_bytes=_memory_bytes(),
        gpus=_gpus(),
        architecture=architecture(),
        root=os.geteuid() == 0,
        cgroups=_cgroups(Path("/sys/fs/cgroup")),
    )


def architecture() -> str:
    """This machine's processor by the name that images use."""
    return _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [physical]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            limits.append(int(text))
    return min(limits)


def _gpus() -> tuple[str, ...]:
    try:
        listing = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return gpu_uuids(listing.stdout) if listing.returncode == 0 else ()


def gpu_uuids(listing: str) -> tuple[str, ...]:
    """The UUIDs in what `nvidia-smi --list-gpus` prints: a line a GPU; parts of GPUs (MIG) stand below theirs."""
    return tuple(found[1] for line in listing.splitlines() if (found := _GPU.match(line)) is not None)


def _cgroups(root: Path) -> CgroupVersion:
    if (root / "cgroup.controllers").exists():
        return "v2"
    if (root / "memory").is_dir():
        return "hybrid" if (root / "unified").is_dir() else "v1"
    return "none"
