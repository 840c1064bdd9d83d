"""Rules of a request's CheckpointConfig and TensorBoardOutputConfig that the service model cannot say."""

from collections.abc import Iterator
from typing import Final

from sagestone.domain import checkpoint, tensorboard
from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation

#: What a LocalPath cannot be or lie in, and what it cannot be or contain.
_KERNEL: Final = ("/proc", "/sys", "/dev", "/opt/ml/input")
_PLATFORM: Final = ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output/data")


def kept_directory_violations(job: Place) -> Iterator[Violation]:
    """What a job breaks with its two directories that are kept in S3: neither may lie in the other."""
    checkpoints, board = job.member("CheckpointConfig"), job.member("TensorBoardOutputConfig")
    yield from _path_violations(checkpoints.member("LocalPath"))
    yield from _path_violations(board.member("LocalPath"))
    if checkpoints.value is None or board.value is None:
        return
    kept = checkpoints.member("LocalPath").value or checkpoint.DEFAULT_LOCAL_PATH
    shown = board.member("LocalPath").value or tensorboard.DEFAULT_LOCAL_PATH
    if _lies_in(_whole(kept), _whole(shown)) or _lies_in(_whole(shown), _whole(kept)):
        yield board.member("LocalPath").breaks(
            f"Member must be apart from the directory of CheckpointConfig, which is {kept}"
        )


def _path_violations(place: Place) -> Iterator[Violation]:
    """LocalPath is an absolute path that covers neither what the job has below /opt/ml nor the kernel's own."""
    if not place:
        return
    path: str = place.value
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or ".." in parts or "." in parts or "\0" in path:
        yield place.breaks("Member must be an absolute path without . and ..")
        return
    whole = _whole(path)
    inside = [other for other in _KERNEL if _lies_in(whole, other)]
    covered = [other for other in _PLATFORM if _lies_in(other, whole)]
    if inside or covered:
        yield place.breaks(f"Member must not cover {(inside or covered)[0]}, which the container needs as it is")


def _whole(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part)


def _lies_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
