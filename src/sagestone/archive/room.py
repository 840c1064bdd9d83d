"""Waiting for room on a full disk: what an agent has to tell must not be lost because it was full for a while."""

import errno
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


def is_full(error: BaseException) -> bool:
    """Whether that is for want of room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def when_there_is_room(write: Callable[[], Result]) -> Result:
    """What `write` says, tried again for a minute as long as the disk is full; it must begin anew each time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return write()
        except OSError as error:
            if not is_full(error) or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)
