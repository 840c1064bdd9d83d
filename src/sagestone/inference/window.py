"""Calls made on several threads at once, looked at in the order in which they were given."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_AHEAD = 32  # calls
_AHEAD_WEIGHT = 256 * 1024


class Ticket(Generic[T]):
    """The result of one call, when it is there."""

    __slots__ = ("_call", "_error", "_result", "done")

    def __init__(self, call: Callable[[], T]) -> None:
        self._call: Callable[[], T] | None = call
        self._result: T | None = None
        self._error: Exception | None = None
        self.done = False

    def result(self) -> T:
        """After `done`: what the call returned, or what it raised."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def run(self) -> None:
        """Make the call."""
        assert self._call is not None
        try:
            self._result = self._call()
        except Exception as error:  # noqa: BLE001 raised again where the result is asked for
            self._error = error
        self._call = None


class Window:
    """`threads` calls at a time; others wait ready, so that no thread is idle between two.

    One more than the threads always may wait; light ones up to `_AHEAD`, so that whoever submits has to be woken for
    many of them only once.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._work_there = threading.Condition(self._lock)
        self._progress = threading.Condition(self._lock)
        self._waiting: deque[tuple[Ticket[Any], int]] = deque()
        self._unfinished = self._started = self._idle = self._weight = 0
        self._watched: Ticket[Any] | None = None
        self._refills = False
        self._closed = False

    def has_room(self) -> bool:
        """Whether another call is wanted now."""
        return self._unfinished <= self._threads or (
            len(self._waiting) < _AHEAD and self._weight < _AHEAD_WEIGHT and self._unfinished < _AHEAD + self._threads
        )

    def submit(self, call: Callable[[], T], weight: int) -> Ticket[T]:
        """Have it called, after those submitted before it have begun; `weight`: the bytes that wait with it."""
        ticket = Ticket(call)
        with self._lock:
            self._waiting.append((ticket, weight))
            self._weight += weight
            self._unfinished += 1
            if self._idle:
                self._work_there.notify()
            elif self._started < self._threads:
                self._started += 1
                threading.Thread(target=self._work, name=f"transform-{self._started}", daemon=True).start()
        return ticket

    def wait(self, ticket: Ticket[T], timeout: float, *, or_room: bool) -> None:
        """Wait until that ticket is done, or else until there is room for another call, at most that long.

        While enough others wait ready, being done is noticed only at the end of that time.
        """
        with self._lock:
            self._watched, self._refills = ticket, or_room
            if not (ticket.done or (or_room and self.has_room())):
                self._progress.wait(timeout)
            self._watched = None

    def close(self) -> None:
        """Begin no more calls; those that are going on end by themselves."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._work_there.notify_all()

    def _work(self) -> None:
        ticket: Ticket[Any] | None = None
        while True:
            with self._lock:
                if ticket is not None:
                    ticket.done = True
                    self._unfinished -= 1
                    self._tell()
                while not self._waiting and not self._closed:
                    self._idle += 1
                    self._work_there.wait()
                    self._idle -= 1
                if self._closed:
                    return
                ticket, weight = self._waiting.popleft()
                self._weight -= weight
            ticket.run()

    def _tell(self) -> None:
        """Wake the one who waits, unless what is ready lasts for a while."""
        if self._watched is not None and (
            (self._refills and len(self._waiting) <= _AHEAD // 2 and self.has_room())
            or (self._watched.done and (not self._refills or len(self._waiting) <= _AHEAD // 2))
        ):
            self._progress.notify()
