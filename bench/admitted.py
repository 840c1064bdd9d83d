"""What runs at a moment, looked at from outside: the limits of the control groups of one home's sandboxes."""

import threading
from dataclasses import dataclass
from pathlib import Path

from sagestone.containers.sandbox.start import store_name

_ROOT = Path("/sys/fs/cgroup")
_LOOK_SECONDS = 0.02
_NO_LIMIT = 1 << 60  # what a group has before it is given a limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The most that was seen at one time."""

    containers: int
    cpus: float
    memory_bytes: int
    looks: int


class AdmissionWatch:
    """Looks from its start to its end."""

    def __init__(self, home: Path) -> None:
        self._word = store_name((home / "sandbox").resolve())
        self._end = threading.Event()
        self._most = Admitted(containers=0, cpus=0.0, memory_bytes=0, looks=0)
        self._thread = threading.Thread(target=self._watch, name="admission-watch", daemon=True)
        self._thread.start()

    def end(self) -> Admitted:
        """Look no more."""
        self._end.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            limits = [found for group in self._groups() if (found := _limits(group)) is not None]
            self._most = Admitted(
                containers=max(self._most.containers, len(limits)),
                cpus=max(self._most.cpus, sum(cpus for cpus, _ in limits)),
                memory_bytes=max(self._most.memory_bytes, sum(memory for _, memory in limits)),
                looks=self._most.looks + 1,
            )

    def _groups(self) -> list[str]:
        place = _ROOT if (_ROOT / "cgroup.controllers").exists() else _ROOT / "memory"
        return [group.name for group in (place / "sagestone").glob(f"{self._word}-*")]


def _limits(group: str) -> tuple[float, int] | None:
    """Processors and bytes of memory of a sandbox; None when it has gone, or does not have them yet."""
    try:
        if (_ROOT / "cgroup.controllers").exists():
            place = _ROOT / "sagestone" / group
            quota, period = (place / "cpu.max").read_text().split()
            memory = (place / "memory.max").read_text()
        else:
            quota = (_ROOT / "cpu" / "sagestone" / group / "cpu.cfs_quota_us").read_text()
            period = (_ROOT / "cpu" / "sagestone" / group / "cpu.cfs_period_us").read_text()
            memory = (_ROOT / "memory" / "sagestone" / group / "memory.limit_in_bytes").read_text()
        if int(quota) < 0 or int(memory) > _NO_LIMIT:
            return None
        return int(quota) / int(period), int(memory)
    except (OSError, ValueError):
        return None
