"""Calls made on several threads at once, looked at in the order in which they were given."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


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
    """`threads` calls at a time; one more waits ready, so that no thread is idle between two."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._work_there = threading.Condition(self._lock)
        self._progress = threading.Condition(self._lock)
        self._waiting: deque[Ticket[Any]] = deque()
        self._unfinished = self._started = 0
        self._closed = False

    def has_room(self) -> bool:
        """Whether another call is wanted now."""
        return self._unfinished <= self._threads

    def submit(self, call: Callable[[], T]) -> Ticket[T]:
        """Have it called, after those submitted before it have begun."""
        ticket = Ticket(call)
        with self._lock:
            self._waiting.append(ticket)
            self._unfinished += 1
            if self._started < min(self._threads, self._unfinished):
                self._started += 1
                threading.Thread(target=self._work, name=f"transform-{self._started}", daemon=True).start()
            self._work_there.notify()
        return ticket

    def wait(self, ticket: Ticket[T], timeout: float, *, or_room: bool) -> None:
        """Wait until that ticket is done, or else until there is room for another call, at most that long."""
        with self._lock:
            self._progress.wait_for(lambda: ticket.done or (or_room and self.has_room()), timeout)

    def close(self) -> None:
        """Begin no more calls; those that are going on end by themselves."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._work_there.notify_all()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._work_there.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                ticket = self._waiting.popleft()
            ticket.run()
            with self._lock:
                ticket.done = True
                self._unfinished -= 1
                self._progress.notify_all()
