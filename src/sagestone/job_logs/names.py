"""How groups and streams are called, and the file that holds a stream."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

TRAINING_GROUP: Final = "/aws/sagemaker/TrainingJobs"
TRANSFORM_GROUP: Final = "/aws/sagemaker/TransformJobs"
GROUPS: Final = (TRAINING_GROUP, TRANSFORM_GROUP)
SUFFIX: Final = ".log"

_LONGEST_PART = 255 - len(SUFFIX)  # of a file name


class NoSuchGroup(Exception):
    """No log group of that name; the text names it."""


class NoSuchStream(Exception):
    """No log stream of that name in the group; the text names both."""


def training_stream(job_name: str, host_number: int, created_at: float) -> str:
    """`<job>/algo-<n>-<epoch>`: the stream of one host of a training job made at that time."""
    return f"{job_name}/algo-{host_number}-{int(created_at)}"


def transform_stream(job_name: str, instance_id: str, created_at: float) -> str:
    """`<job>/<instance id>-<epoch>`; the data log of the same instance is this name followed by `/data-log`."""
    return f"{job_name}/{instance_id}-{int(created_at)}"


def group_directory(logs: Path, group: str) -> Path:
    """The directory of a group; raises NoSuchGroup for a name that this service never makes."""
    if group not in GROUPS:
        raise NoSuchGroup(f"there is no log group {group!r}: the groups are {' and '.join(GROUPS)}")
    return logs / group.lstrip("/")


def stream_file(logs: Path, group: str, stream: str) -> Path:
    """The file of a stream, always inside the group's directory whatever the name holds.

    Every part between slashes is percent-encoded (all but letters, digits, `_`, `~` and `-`), so that no two names
    share a file and none reaches outside. A name that cannot be a file raises NoSuchStream.
    """
    parts = [encode_part(part) for part in stream.split("/")]
    if any(not part or len(part) > _LONGEST_PART for part in parts):
        raise NoSuchStream(f"the log group {group} has no stream {stream[:600]!r}: a name has parts of 1 to 251 bytes")
    return group_directory(logs, group).joinpath(*parts[:-1], parts[-1] + SUFFIX)


def encode_part(part: str) -> str:
    """One part of a stream's name as a file name; `urllib.parse.unquote` turns it back."""
    return quote(part, safe="", errors="surrogatepass").replace(".", "%2E")
