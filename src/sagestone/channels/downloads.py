"""Several downloads at a time, on as many threads as there is work for and the network is worth."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

THREADS = 8  # at first: as many as one machine can feed
MOST_THREADS = 64  # where threads only wait for a distant store
_WAITING = 64  # pieces handed over but not begun
_WATCH_SECONDS = 0.05
_IDLE_SECONDS = 0.25
_GROW_SECONDS = 0.25
_GROW_BY = 8
_BUSY = 0.6  # of a processor: beyond it more threads would only stand in each other's way
_TASKS = Path("/proc/self/task")


@dataclass(slots=True, kw_only=True)
class Progress:
    """What has arrived so far, of what is to arrive as far as it is listed."""

    objects: int = 0
    bytes: int = 0
    of_objects: int = 0
    of_bytes: int = 0
    listed: bool = False  # whether `of_…` are final
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, objects: int, size: int) -> None:
        """Count what arrived; from any thread."""
        with self._lock:
            self.objects += objects
            self.bytes += size


class Downloads:
    """A pool that carries out pieces of work until one fails; the first failure comes out of `add` or `finish`.

    While it makes the caller wait it calls `watch`, which may raise. Once the pool is abandoned a thread ends with the
    piece it is at; threads never keep the process alive.
    """

    def __init__(self, watch: Callable[[], None]) -> None:
        self._watch = watch
        self._queue: queue.Queue[Callable[[], None]] = queue.Queue(_WAITING)
        self._changed = threading.Condition()
        self._open = 0  # pieces added and not yet done
        self._failure: BaseException | None = None
        self._abandoned = threading.Event()
        self._threads = 0
        self._most = THREADS
        self._looked_at, self._used = time.monotonic(), busy_seconds()

    def add(self, piece: Callable[[], None]) -> None:
        """Have it done; waits while many others are."""
        with self._changed:
            self._open += 1
            busy = self._open
        while True:
            self._look()
            try:
                self._queue.put(piece, timeout=_WATCH_SECONDS)
                break
            except queue.Full:
                self._grow()
                self._start_threads(busy)
        self._start_threads(busy)

    def finish(self) -> None:
        """Wait until everything has been done."""
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

    def _start_threads(self, busy: int) -> None:
        while self._threads < min(busy, self._most):
            self._threads += 1
            threading.Thread(target=self._work, name=f"download-{self._threads}", daemon=True).start()

    def _grow(self) -> None:
        """Allow more threads where those that there are spend their time waiting."""
        now = time.monotonic()
        if now - self._looked_at < _GROW_SECONDS:
            return
        used = busy_seconds()
        if used - self._used < _BUSY * (now - self._looked_at):
            self._most = min(self._most + _GROW_BY, MOST_THREADS)
        self._looked_at, self._used = now, used

    def _work(self) -> None:
        while not self._abandoned.is_set():
            try:
                piece = self._queue.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                continue
            try:
                piece()
            except BaseException as error:  # noqa: BLE001 handed to the thread that waits
                with self._changed:
                    self._failure = self._failure or error
                    self._changed.notify_all()
                return
            with self._changed:
                self._open -= 1
                self._changed.notify_all()


def busy_seconds() -> float:
    """Seconds that the threads of this process ran, or would have if there had been a processor for them."""
    total = 0
    try:
        for task in _TASKS.iterdir():
            ran, waited, _ = (task / "schedstat").read_text().split()
            total += int(ran) + int(waited)
    except (OSError, ValueError):  # not Linux, or a thread that ends just now
        return time.process_time()
    return total / 1e9
