"""Limits of memory, processors and processes for a sandbox, by control groups of version 1 or 2.

Root has them where the kernel does; a plain user only where a service manager has delegated a version 2 group to it.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.containers.runtime import RuntimeFailure, Usage

_PERIOD_MICROSECONDS = 100_000
_REMOVE_SECONDS = 5.0
_PARENT = "sagestone"  # every sandbox's group lies in it; it goes with the last of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchies:
    """Where groups can be made: one directory for each controller; version 2 has the same for all."""

    version: int
    controllers: dict[str, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandbox may use; None for no limit."""

    memory_bytes: int | None
    cpus: float | None
    pids: int | None


class Cgroups:
    """The groups of one sandbox, named `name`, in the hierarchies of this machine."""

    def __init__(self, hierarchies: Hierarchies, name: str) -> None:
        self._version = hierarchies.version
        self._groups = {controller: base / _PARENT / name for controller, base in hierarchies.controllers.items()}

    @property
    def limits_processes(self) -> bool:
        """Whether the number of processes is limited here."""
        return "pids" in self._groups

    def create(self, limits: Limits) -> None:
        """Make the groups with these limits; raises RuntimeFailure."""
        try:
            for group in self._directories():
                _make(group, self._version)
            for controller, file, value in self._settings(limits):
                (self._groups[controller] / file).write_text(value)
        except OSError as error:
            raise RuntimeFailure(f"the control groups for limits cannot be made: {error}") from error

    def process_files(self) -> list[str]:
        """Files to which a process writes "0" to be in the groups."""
        return [str(group / "cgroup.procs") for group in self._directories()]

    def oom_file(self) -> str:
        """The file whose line `oom_kill N` counts what was killed for memory."""
        memory = self._groups.get("memory")
        return str(memory / ("memory.events" if self._version == 2 else "memory.oom_control")) if memory else ""

    def usage(self) -> Usage | None:
        """What the groups use now; None when they are not there."""
        try:
            if self._version == 2:
                group = self._groups["memory"]
                memory = int((group / "memory.current").read_text()) - _field(group / "memory.stat", "inactive_file")
                return Usage(memory_bytes=memory, cpu_seconds=_field(group / "cpu.stat", "usage_usec") / 1e6)
            group = self._groups["memory"]
            memory = int((group / "memory.usage_in_bytes").read_text())
            memory -= _field(group / "memory.stat", "total_inactive_file")
            cpu = int((self._groups["cpuacct"] / "cpuacct.usage").read_text()) if "cpuacct" in self._groups else 0
            return Usage(memory_bytes=memory, cpu_seconds=cpu / 1e9)
        except (OSError, KeyError):
            return None

    def remove(self) -> None:
        """Remove the groups; their processes must have ended. Nothing there is fine."""
        for group in self._directories():
            deadline = time.monotonic() + _REMOVE_SECONDS
            while not _removed(group):
                if time.monotonic() > deadline:
                    raise RuntimeFailure(f"the control group {group} cannot be removed: processes are still in it")
                time.sleep(0.005)
            try:
                group.parent.rmdir()
            except OSError:
                continue  # others are still in it, or it has gone already

    def _directories(self) -> Sequence[Path]:
        return tuple(dict.fromkeys(self._groups.values()))

    def _settings(self, limits: Limits) -> list[tuple[str, str, str]]:
        settings: list[tuple[str, str, str]] = []
        if limits.memory_bytes is not None and "memory" in self._groups:
            memory, value = self._groups["memory"], str(limits.memory_bytes)
            if self._version == 2:
                settings.append(("memory", "memory.max", value))
                settings += [("memory", "memory.swap.max", "0")] if (memory / "memory.swap.max").exists() else []
            else:
                settings.append(("memory", "memory.limit_in_bytes", value))
                swap = "memory.memsw.limit_in_bytes"
                settings += [("memory", swap, value)] if (memory / swap).exists() else []
        if limits.cpus is not None and "cpu" in self._groups:
            quota = max(int(limits.cpus * _PERIOD_MICROSECONDS), 1000)
            if self._version == 2:
                settings.append(("cpu", "cpu.max", f"{quota} {_PERIOD_MICROSECONDS}"))
            else:
                settings.append(("cpu", "cpu.cfs_period_us", str(_PERIOD_MICROSECONDS)))
                settings.append(("cpu", "cpu.cfs_quota_us", str(quota)))
        if limits.pids is not None and "pids" in self._groups:
            settings.append(("pids", "pids.max", str(limits.pids)))
        return settings


def find_hierarchies(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Hierarchies | None:
    """Where this process can make groups that limit memory; None when nowhere."""
    if (root / "cgroup.controllers").exists():
        base = root if os.access(root / "cgroup.subtree_control", os.W_OK) else _delegated(root, own)
        if base is None or "memory" not in (base / "cgroup.controllers").read_text().split():
            return None
        available = (base / "cgroup.controllers").read_text().split()
        found = Hierarchies(
            version=2, controllers={each: base for each in ("memory", "cpu", "pids") if each in available}
        )
    else:
        places = {each: root / each for each in ("memory", "cpu", "cpuacct", "pids")}
        writable = {each: place for each, place in places.items() if os.access(place / "cgroup.procs", os.W_OK)}
        if "memory" not in writable:
            return None
        found = Hierarchies(version=1, controllers=writable)
    return found if _works(found) else None


def _delegated(root: Path, own: Path) -> Path | None:
    """The group above ours, when it was given to this user: groups beside ours can be made in it."""
    line = next((line for line in own.read_text().splitlines() if line.startswith("0::/")), None)
    if line is None:
        return None
    parent = (root / line.removeprefix("0::/")).parent
    fit = parent != root and all(
        os.access(parent / file, os.W_OK) for file in ("", "cgroup.procs", "cgroup.subtree_control")
    )
    return parent if fit else None


def _works(found: Hierarchies) -> bool:
    trial = Cgroups(found, f"trial-{os.getpid()}-{time.monotonic_ns()}")
    try:
        trial.create(Limits(memory_bytes=1 << 30, cpus=None, pids=None))
        trial.remove()
    except RuntimeFailure:
        return False
    return True


def _make(group: Path, version: int) -> None:
    for _ in range(100):
        try:
            group.parent.mkdir(exist_ok=True)
            if version == 2:
                for above in (group.parent.parent, group.parent):
                    _enable(above)
            group.mkdir(exist_ok=True)
            return
        except FileNotFoundError:
            continue  # the last other sandbox took the parent away with it
    raise OSError(f"{group.parent} vanishes again and again")


def _enable(group: Path) -> None:
    """Hand controllers down to the groups below."""
    wanted = set((group / "cgroup.controllers").read_text().split()) & {"memory", "cpu", "pids"}
    missing = wanted - set((group / "cgroup.subtree_control").read_text().split())
    if missing:
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in sorted(missing)))


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _field(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
