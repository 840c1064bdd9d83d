"""The thread of a controller: goes round when it is told something or when it is time, and rests otherwise."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sagestone.store.interface import StoreUnavailable

_LOG = logging.getLogger(__name__)

#: Between two tries to reach a store that does not answer.
_AWAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Breath:
    """How the pump is: whether its thread lives, and how long it has been at what it does now, or has not come to what
    it was told (0: it rests); how often it went round, and how many it could not carry on and tries again."""

    alive: bool
    busy_seconds: float
    rounds: int
    failing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What there is to do: something new is in the store, another service changed something, a job of another account
    waits for room."""

    hinted: bool
    by_another: bool
    give_way: bool


class Pump:
    """Calls `go_round`, which gives the seconds until it is time again (None: only when told), and at a stop `end`.

    1. What is told while it goes round is not missed: it goes round once more.
    2. A store that does not answer is asked again twice a second, and any other error of a round after a second.
    3. `hint`, `stir`, `hear` and `give_way` may come from any thread, and never wait.
    """

    def __init__(
        self, go_round: Callable[[], float | None], end: Callable[[], None], monotonic: Callable[[], float]
    ) -> None:
        self._go_round, self._end, self._monotonic = go_round, end, monotonic
        self._wake = threading.Condition()
        self._hinted = True
        self._stirred = self._heard = self._asked_to_give_way = self._stopping = False
        self._away = False  # the store does not answer
        self._busy_since: float | None = None
        self._rounds = 0
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End the thread; True when it ended in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def hint(self) -> None:
        """Something new is in the store: look now."""
        with self._wake:
            self._hinted = True
            self._work()

    def stir(self) -> None:
        """An instance may have news."""
        with self._wake:
            self._stirred = True
            self._work()

    def hear(self) -> None:
        """Another service changed something."""
        with self._wake:
            self._heard = self._hinted = True
            self._work()

    def give_way(self) -> None:
        """Another account's job waits for room."""
        with self._wake:
            self._asked_to_give_way = self._hinted = True
            self._work()

    def take(self) -> Told:
        """What was told since it was taken last."""
        with self._wake:
            told = Told(hinted=self._hinted, by_another=self._heard, give_way=self._asked_to_give_way)
            self._hinted = self._stirred = self._heard = self._asked_to_give_way = False
        return told

    def breath(self, failing: int) -> Breath:
        """How it is."""
        since = self._busy_since
        return Breath(
            alive=self._thread.is_alive(),
            busy_seconds=0.0 if since is None else max(0.0, self._monotonic() - since),
            rounds=self._rounds,
            failing=failing,
        )

    def _work(self) -> None:
        """There is something to do since now, if it rested."""
        if self._busy_since is None:
            self._busy_since = self._monotonic()
        self._wake.notify()

    def _run(self) -> None:
        while True:
            self._busy_since = self._monotonic()
            try:
                seconds = self._go_round()
                if self._away:
                    _LOG.warning("the store answers again")
                self._away = False
            except StoreUnavailable as error:
                if not self._away:
                    _LOG.error("the store does not answer, jobs go on and are looked at as soon as it does: %s", error)
                self._away = self._hinted = True
                self._rest(_AWAY_SECONDS)
                seconds = 0.0
            except Exception:  # noqa: BLE001 (logged with its traceback; the pump must not end)
                _LOG.exception("the controller could not look at the store; it tries again")
                seconds = 1.0
            with self._wake:
                self._rounds += 1
                if not (self._hinted or self._stirred or self._stopping):
                    self._busy_since = None
                    self._wake.wait(seconds)
                if self._stopping:
                    break
        try:
            self._end()
        except StoreUnavailable as error:
            _LOG.warning("stopped without the store, the next start finds what is left: %s", error)

    def _rest(self, seconds: float) -> None:
        """Hints do not end it, a stop does."""
        deadline = time.monotonic() + seconds
        with self._wake:
            while not self._stopping and time.monotonic() < deadline:
                self._wake.wait(deadline - time.monotonic())
