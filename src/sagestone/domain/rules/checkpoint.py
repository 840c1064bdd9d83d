"""Rules of a request's CheckpointConfig that the service model cannot say."""

from collections.abc import Iterator
from typing import Final

from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation

#: What a LocalPath cannot be or lie in, and what it cannot be or contain.
_KERNEL: Final = ("/proc", "/sys", "/dev", "/opt/ml/input")
_PLATFORM: Final = ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output/data")


def checkpoint_violations(config: Place) -> Iterator[Violation]:
    """LocalPath is an absolute path that covers neither what the job has below /opt/ml nor the kernel's own."""
    place = config.member("LocalPath")
    if not place:
        return
    path: str = place.value
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or ".." in parts or "." in parts or "\0" in path:
        yield place.breaks("Member must be an absolute path without . and ..")
        return
    whole = "/" + "/".join(parts)
    inside = [other for other in _KERNEL if _lies_in(whole, other)]
    covered = [other for other in _PLATFORM if _lies_in(other, whole)]
    if inside or covered:
        yield place.breaks(f"Member must not cover {(inside or covered)[0]}, which the container needs as it is")


def _lies_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
