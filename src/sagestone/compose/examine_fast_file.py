"""Whether FastFile channels can work on this machine, and how to get them."""

import os
from pathlib import Path
from typing import Literal

from sagestone.channels.fuse.mount import complaint
from sagestone.compose.finding import Finding
from sagestone.settings import Settings

_FUSE_SETTINGS = Path("/etc/fuse.conf")


def examine_fast_file(settings: Settings) -> Finding:
    """Names of blobs beside the embedded store need nothing; all else needs file systems in user space."""
    if not settings.s3_endpoint and not _apart(settings.home / "s3", settings.home / "jobs"):
        return _found("good", "works: files are names of the embedded store's own")
    where = "on a remote S3" if settings.s3_endpoint else "where the store and the jobs are on different file systems"
    why = complaint()
    if why is not None:
        return _found("warning", f"does not work {where}: {why}; File and Pipe modes do")
    if os.geteuid() == 0 or _others_may_look():
        return _found("good", f"works {where}, by {'/dev/fuse' if os.geteuid() == 0 else 'fusermount3'}")
    return _found(
        "warning",
        f"works {where} with the sandbox and with engines that run as you; for others, and for images with a user of "
        f"their own, write user_allow_other into {_FUSE_SETTINGS}",
    )


def _found(level: Literal["good", "warning"], text: str) -> Finding:
    return Finding(subject="FastFile", level=level, text=text)


def _apart(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.stat().st_dev != other.stat().st_dev


def _others_may_look() -> bool:
    try:
        lines = _FUSE_SETTINGS.read_text().splitlines()
    except OSError:
        return False
    return any(line.strip() == "user_allow_other" for line in lines)
