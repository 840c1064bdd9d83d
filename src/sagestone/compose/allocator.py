"""The C library's allocator, told how this process uses threads."""

import ctypes
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h of glibc
_ARENAS: Final = 2


def share_arenas() -> None:
    """Let all threads share two of glibc's arenas; another C library does without.

    Each of some forty threads would get an arena of its own, and keep there what its largest request needed: requests
    of megabytes made the service twice as large for good. Python's threads take turns: more arenas gain nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
