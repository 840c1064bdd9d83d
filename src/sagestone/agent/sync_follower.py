"""Keeps S3 up to date with a directory that a program writes to, on a thread of its own."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from sagestone.archive.room import when_there_is_room
from sagestone.channels.checkpoints.sync import CheckpointSync
from sagestone.domain.failure import Failure
from sagestone.s3.client import S3Failure, fault_of

_EVERY_SECONDS: Final = 2.0
_LOOK_SHARE: Final = 20  # looking may take a twentieth of the time


class SyncFollower:
    """Looks again and again until it is ended; `say` takes sentences for the job's log, which begin with `subject`.

    It does not look while `may_look` says no.
    """

    def __init__(
        self,
        sync: CheckpointSync,
        subject: str,
        say: Callable[[str], None],
        may_look: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sync, self._subject, self._say, self._may_look = sync, subject, say, may_look
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name=subject, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Return when it no longer looks."""
        self._end.set()
        self._thread.join()

    def _look_again(self) -> None:
        pause = _EVERY_SECONDS
        while not self._end.wait(pause):
            if not self._may_look():
                continue
            try:
                self._sync.look()
            except OSError as error:  # the disk is full, say: training goes on, the next look tries again
                self._say(f"{self._subject}: {error}; it is tried again")
            pause = max(_EVERY_SECONDS, _LOOK_SHARE * self._sync.scan_seconds)


def last_look(sync: CheckpointSync, subject: str, kept: str) -> Failure | None:
    """Nobody writes any more: bring S3 up to date for the last time; the failure where that cannot be done.

    It waits for room on a full disk. `subject` is what an upload's failure names, `kept` what this machine's does.
    """
    try:
        when_there_is_room(partial(sync.look, last=True))
    except S3Failure as error:
        return Failure(fault=fault_of(error), message=f"Artifact upload failed:{subject}: {error}")
    except OSError as error:
        return Failure(fault="internal", message=f"The {kept} could not be kept: {error}")
    return None
