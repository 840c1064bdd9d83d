"""How much of a processor the reading of a container's output may take from its neighbours."""

import threading
import time
from collections.abc import Callable

_AT_ONCE_SECONDS = 2.0  # of a processor
_SHARE = 0.25  # of a processor, in the long run
_LONGEST_PAUSE_SECONDS = 2.0  # so that nobody waits long for a line


class ConsoleShare:
    """Paces one thread: a budget of processor time that fills again steadily. All that was written waits meanwhile."""

    def __init__(
        self, spent: Callable[[], float] = time.thread_time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spent, self._clock = spent, clock
        self._budget = _AT_ONCE_SECONDS
        self._last: tuple[float, float] | None = None  # processor time, and when it was read
        self._over = threading.Event()

    def pause(self) -> None:
        """Called by the thread after each piece: wait where the budget is spent, two seconds at most."""
        seconds = self.due()
        if seconds:
            self._over.wait(seconds)

    def due(self) -> float:
        """How long to wait now."""
        spent, now = self._spent(), self._clock()
        if self._last is not None:
            spent_before, before = self._last
            self._budget = min(_AT_ONCE_SECONDS, self._budget + (now - before) * _SHARE - (spent - spent_before))
        self._last = spent, now
        if self._over.is_set():
            return 0.0
        return min(max(0.0, -self._budget / _SHARE), _LONGEST_PAUSE_SECONDS)

    def end(self) -> None:
        """The container has ended: the rest is read as fast as it goes."""
        self._over.set()
