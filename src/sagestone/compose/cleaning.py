"""Cleans a home now and then, as long as its service runs."""

import logging
import threading

from sagestone.compose.cleaner import Cleaner

_LOG = logging.getLogger("sagestone.clean")

#: Not at once: what a restart leaves behind is being taken up then.
_FIRST_SECONDS = 300.0
_EVERY_SECONDS = 3600.0


class Cleaning:
    """A thread that cleans every hour."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cleaning", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End it, after what it is about; idempotent."""
        self._ends.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _run(self) -> None:
        seconds = _FIRST_SECONDS
        while not self._ends.wait(seconds):
            try:
                self._cleaner.clean(dry_run=False)
            except Exception:  # noqa: BLE001 (logged with its traceback; it is tried again)
                _LOG.exception("cleaning failed; it is tried again in an hour")
            seconds = _EVERY_SECONDS
