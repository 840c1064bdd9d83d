"""Checkpoints of a training job: a directory of the container that is kept in S3, and found there again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_LOCAL_PATH: Final = "/opt/ml/checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A CheckpointConfig with its default filled in."""

    s3_uri: str
    local_path: str = DEFAULT_LOCAL_PATH  # as given: checkpointconfig.json shows it


def checkpoint_of(config: Mapping[str, Any] | None) -> Checkpoint | None:
    """What the CheckpointConfig of a request comes to; None where there is none."""
    if config is None:
        return None
    return Checkpoint(s3_uri=config["S3Uri"], local_path=config.get("LocalPath") or DEFAULT_LOCAL_PATH)
