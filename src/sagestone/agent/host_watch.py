"""How busy the host of a job is, as the service's instance metrics tell it."""

import time
from collections.abc import Callable, Sequence

from sagestone.agent.gpu_watch import GpuWatch
from sagestone.agent.volume import VolumeWatch
from sagestone.containers.runtime import RuntimeFailure, Usage
from sagestone.domain.metric import MetricPoint

_FIRST_SECONDS = 0.25  # many jobs here are short, and shall be told too
_EVERY_SECONDS = 10.0


class HostWatch:
    """Asks for the usage of a host's containers now and then, and tells it: percent, of one cpu (so 0 to 100 × cpus),
    of the memory and of the volume that the host has, and of one GPU where it has some."""

    def __init__(
        self,
        usage: Callable[[], Usage | None],
        memory_bytes: int | None,
        volume: VolumeWatch,
        gpus: GpuWatch,
        clock: Callable[[], float],
        tell: Callable[[Sequence[MetricPoint]], None],
    ) -> None:
        """`usage` gives None while nothing can be said; `memory_bytes` is the host's, None: it has no limit."""
        self._usage, self._memory_bytes, self._volume, self._gpus = usage, memory_bytes, volume, gpus
        self._clock, self._tell = clock, tell
        self._before: tuple[float, float] | None = None  # when we looked last, and the cpu seconds used until then
        self._next_look = 0.0

    def look(self) -> None:
        """Tell what is used, when it is time to. A runtime that does not answer is asked again later."""
        self._tell(self._gpus.answer())
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + (_EVERY_SECONDS if self._before else _FIRST_SECONDS)
        try:
            usage = self._usage()
        except (RuntimeFailure, OSError):
            return
        if usage is None:
            return
        if self._before is not None:
            passed, used = now - self._before[0], usage.cpu_seconds - self._before[1]
            shares = {"CPUUtilization": max(0.0, used) / passed}
            if self._memory_bytes:
                shares["MemoryUtilization"] = usage.memory_bytes / self._memory_bytes
            if self._volume.limit:
                self._volume.overrun()  # looks, where nobody else has of late
                shares["DiskUtilization"] = self._volume.last_used / self._volume.limit
            at = self._clock()
            self._tell([MetricPoint(name=name, value=100.0 * share, at=at) for name, share in shares.items()])
            self._gpus.ask()
        self._before = (now, usage.cpu_seconds)
