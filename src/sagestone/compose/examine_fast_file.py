"""Whether FastFile channels can work on this machine, and how to get them."""

import os
from pathlib import Path
from typing import Literal

from sagestone.channels.fast_file.channel import MOST_LINKS
from sagestone.channels.fuse.mount import complaint, others_complaint
from sagestone.compose.finding import Finding
from sagestone.settings import Settings


def examine_fast_file(settings: Settings) -> Finding:
    """Names of the embedded store's blobs need nothing; all else needs file systems in user space."""
    if settings.s3_endpoint:
        return _served("on a remote S3")
    if _apart(settings.home / "s3", settings.home / "jobs"):
        return _served("where the store and the jobs are on different file systems")
    return _linked()


def _linked() -> Finding:
    works = "works: files are names of the embedded store's own"
    many, sealed = f"channels of more than {MOST_LINKS:,} objects", "channels with an encrypted object"
    if (why := others_complaint()) is None:
        return _found("good", f"{works}; those of {many}, and of {sealed}, are served by {_by()}")
    if complaint() is not None:
        return _found("warning", f"{works}; {many} begin when all have one, and {sealed} fail: {why}")
    return _found("warning", f"{works}; {many} begin when all have one: {why}")


def _served(where: str) -> Finding:
    if (why := complaint()) is not None:
        return _found("warning", f"does not work {where}: {why}; File and Pipe modes do")
    if (why := others_complaint()) is not None:
        return _found(
            "warning",
            f"works {where} with the sandbox and with engines that run as you, but not for others, and for images "
            f"with a user of their own: {why}",
        )
    return _found("good", f"works {where}, by {_by()}")


def _by() -> str:
    return "/dev/fuse" if os.geteuid() == 0 else "fusermount3"


def _found(level: Literal["good", "warning"], text: str) -> Finding:
    return Finding(subject="FastFile", level=level, text=text)


def _apart(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.stat().st_dev != other.stat().st_dev
