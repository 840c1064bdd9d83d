"""Several downloads at a time, on as many threads as there is work for."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sagestone.channels.source import ChannelObject

THREADS = 8
_WAITING = 64  # objects handed over but not begun
_WATCH_SECONDS = 0.05
_IDLE_SECONDS = 0.25

Fetch = Callable[[ChannelObject], int]


@dataclass(slots=True, kw_only=True)
class Progress:
    """What has arrived so far."""

    objects: int = 0
    bytes: int = 0


class Downloads:
    """A pool that fetches objects until one fails; the first failure comes out of `add` or `finish`.

    While it makes the caller wait it calls `watch`, which may raise. Once the pool is abandoned a thread ends with the
    object it is at; threads never keep the process alive.
    """

    def __init__(self, fetch: Fetch, watch: Callable[[], None], progress: Progress) -> None:
        self._fetch, self._watch, self._progress = fetch, watch, progress
        self._queue: queue.Queue[ChannelObject] = queue.Queue(_WAITING)
        self._changed = threading.Condition()
        self._open = 0  # objects added and not yet fetched
        self._failure: BaseException | None = None
        self._abandoned = threading.Event()
        self._threads = 0

    def add(self, found: ChannelObject) -> None:
        """Have it fetched; waits while many others do."""
        with self._changed:
            self._open += 1
            busy = self._open
        while True:
            self._look()
            try:
                self._queue.put(found, timeout=_WATCH_SECONDS)
                break
            except queue.Full:
                continue
        if self._threads < min(busy, THREADS):
            self._threads += 1
            threading.Thread(target=self._work, name=f"download-{self._threads}", daemon=True).start()

    def finish(self) -> None:
        """Wait until everything has been fetched."""
        with self._changed:
            while self._open and self._failure is None:
                self._changed.wait(_WATCH_SECONDS)
                self._watch()
        self._look()
        self._abandoned.set()

    def abandon(self) -> None:
        """Begin nothing new; idempotent."""
        self._abandoned.set()

    def _look(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._watch()

    def _work(self) -> None:
        while not self._abandoned.is_set():
            try:
                found = self._queue.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                continue
            try:
                size = self._fetch(found)
            except BaseException as error:  # noqa: BLE001 handed to the thread that waits
                with self._changed:
                    self._failure = self._failure or error
                    self._changed.notify_all()
                return
            with self._changed:
                self._open -= 1
                self._progress.objects += 1
                self._progress.bytes += size
                self._changed.notify_all()
