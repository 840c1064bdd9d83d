"""Tells how busy the host of a transform job is while its containers serve."""

import threading
from types import TracebackType

from sagestone.agent.gpu_watch import GpuWatch
from sagestone.agent.host_watch import HostWatch
from sagestone.agent.serving import Serving
from sagestone.agent.tools import Tools
from sagestone.agent.transform_model import volume_bytes
from sagestone.agent.volume import VolumeWatch
from sagestone.domain.assignment import TransformAssignment

_LOOK_SECONDS = 0.25
_LAST_SECONDS = 1.0  # an engine that does not answer is not waited for


class ServingWatch:
    """A watch on all of an instance's containers together, from a thread of its own: requests do not wait for it.

    The disk is that of the models and of what is under way.
    """

    def __init__(self, assignment: TransformAssignment, tools: Tools, serving: Serving) -> None:
        self._gpus = GpuWatch(assignment.limits.gpu_uuids, tools.clock)
        volume = VolumeWatch([tools.files.opt_ml, tools.files.scratch], volume_bytes(assignment))
        memory_bytes, tell = assignment.limits.memory_bytes, tools.reporter.host_metrics
        self._watch = HostWatch(serving.usage, memory_bytes, volume, self._gpus, tools.clock, tell)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="host-watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(_LAST_SECONDS)

    def _look(self) -> None:
        try:
            while not self._over.wait(_LOOK_SECONDS):
                self._watch.look()
        finally:
            self._gpus.close()
