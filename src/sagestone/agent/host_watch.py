"""How busy the host of a training job is, as the service's instance metrics tell it."""

import time
from collections.abc import Callable, Sequence

from sagestone.agent.gpu_watch import GpuWatch
from sagestone.agent.volume import VolumeWatch
from sagestone.containers.runtime import Runtime, RuntimeFailure
from sagestone.domain.assignment import Limits
from sagestone.domain.metric import MetricPoint

_FIRST_SECONDS = 1.0
_EVERY_SECONDS = 10.0


class HostWatch:
    """Looks at one container now and then, and tells what it used: percent, of one cpu (so 0 to 100 × cpus), of the
    memory and of the volume that the host has, and of one GPU where it has some."""

    def __init__(
        self,
        runtime: Runtime,
        container: str,
        limits: Limits,
        volume: VolumeWatch,
        gpus: GpuWatch,
        clock: Callable[[], float],
        tell: Callable[[Sequence[MetricPoint]], None],
    ) -> None:
        self._runtime, self._container, self._limits, self._volume = runtime, container, limits, volume
        self._gpus = gpus
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
            usage = self._runtime.usage(self._container)
        except (RuntimeFailure, OSError):
            return
        if usage is None:
            return
        if self._before is not None:
            passed, used = now - self._before[0], usage.cpu_seconds - self._before[1]
            shares = {"CPUUtilization": max(0.0, used) / passed}
            if self._limits.memory_bytes:
                shares["MemoryUtilization"] = usage.memory_bytes / self._limits.memory_bytes
            if self._limits.volume_bytes:
                shares["DiskUtilization"] = self._volume.last_used / self._limits.volume_bytes
            at = self._clock()
            self._tell([MetricPoint(name=name, value=100.0 * share, at=at) for name, share in shares.items()])
            self._gpus.ask()
        self._before = (now, usage.cpu_seconds)
