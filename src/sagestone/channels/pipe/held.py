"""Files of small objects that stay open from one epoch to the next: to open and close one is half of what it takes."""

import os
import resource
from array import array

_MOST = 32_768  # of an agent: each holds about a kilobyte of the kernel's memory
_FOR_OTHERS = 1024  # descriptors that the agent may need besides


class HeldFiles:
    """Open files by the places of their objects in a channel's list; used by one thread."""

    def __init__(self, count: int, channels: int) -> None:
        """For a channel of `count` objects, one of so many of the agent."""
        self._files = array("i", [-1]) * count
        self._channels = channels
        self._room = -1  # not known before something is to be held

    def get(self, place: int) -> int:
        """The descriptor of that object; -1: it is not held."""
        return self._files[place]

    def hold(self, place: int, file: int) -> bool:
        """Keep the file from now on; False where there is no room, and the caller closes it."""
        if self._room < 0:
            self._room = _allowed() // self._channels
        if self._room == 0:
            return False
        self._room -= 1
        self._files[place] = file
        return True

    def close(self) -> None:
        """Let go of all; idempotent. Nothing is held after that."""
        for place, file in enumerate(self._files):
            if file >= 0:
                os.close(file)
                self._files[place] = -1
        self._room = 0


def _allowed() -> int:
    """How many files the agent may hold. Its container runs by now, and does not inherit the raised limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _FOR_OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _MOST if soft == resource.RLIM_INFINITY else max(0, min(soft - _FOR_OTHERS, _MOST))
