"""Watches what a container writes beside its mounts: to /tmp, over its image, into its host files."""

from sagestone.agent.volume import UNMEASURED, VolumeWatch
from sagestone.channels.room import gibibytes
from sagestone.containers.runtime import Runtime, RuntimeFailure


class OutsideWatch:
    """The disk that a started container uses outside its mounts, against a limit (None: nothing is looked at)."""

    def __init__(self, runtime: Runtime, container: str, limit: int | None) -> None:
        self._runtime, self._container, self._limit = runtime, container, limit
        self._watch: VolumeWatch | None = None

    def complaint(self) -> str | None:
        """A sentence when it is more than the limit; looks only when it is time to.

        A runtime that does not answer is asked again the next time.
        """
        if self._limit is None:
            return None
        if self._watch is None:
            try:
                self._watch = VolumeWatch(self._runtime.places(self._container), self._limit)
            except (RuntimeFailure, OSError):
                return None
        used = self._watch.overrun()
        if used is None:
            return None
        much = "more than can be measured is" if used >= UNMEASURED else f"{gibibytes(used)} are"
        return (
            f"Insufficient disk space: {much} in the container outside /opt/ml, where {gibibytes(self._limit)} may be. "
            "Write less there, for instance to /tmp"
        )
