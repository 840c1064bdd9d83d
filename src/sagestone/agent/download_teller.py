"""Tells how far the download of a channel is: in the secondary status, and more rarely in the job's log."""

import time
from collections.abc import Callable

from sagestone.agent.interruption import Interruption
from sagestone.agent.tools import Tools
from sagestone.channels.downloads import Progress
from sagestone.channels.room import gibibytes

_TELL_SECONDS = 2.0
_LOG_AFTER_SECONDS = 5.0
_LOG_SECONDS_AT_MOST = 60.0


class DownloadTeller:
    """Called all the time while a channel comes in: breaks off when asked to, and tells how far it is now and then.

    The log gets a line after five seconds, and another each time as much time has passed again, a minute at most; a
    channel that is there at once, or that nothing is downloaded of, leaves none.
    """

    def __init__(
        self,
        tools: Tools,
        interruption: Interruption,
        channel: str,
        progress: Progress,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tools, self._interruption, self._channel, self._progress = tools, interruption, channel, progress
        self._now, self._began = now, now()
        self._tell_at = self._began + _TELL_SECONDS
        self._log_at = self._began + _LOG_AFTER_SECONDS
        self._logged = False
        tools.reporter.stage("Downloading", "Downloading input data")

    def __call__(self) -> None:
        self._interruption.check()
        now = self._now()
        if now < self._tell_at:
            return
        self._tell_at = now + _TELL_SECONDS
        words = progress_words(self._channel, self._progress)
        self._tools.reporter.stage("Downloading", f"Downloading input data: {words}")
        if now >= self._log_at and self._progress.of_objects:
            self._log_at = now + min(now - self._began, _LOG_SECONDS_AT_MOST)
            self._say(words)

    def end(self) -> None:
        """The channel is there."""
        if self._logged:
            self._say(f"{progress_words(self._channel, self._progress)} in {self._now() - self._began:.0f} s")

    def _say(self, text: str) -> None:
        self._logged = True
        self._tools.say(f"Downloading input data: {text}")


def progress_words(channel: str, progress: Progress) -> str:
    """`channel train: 12 of 40 objects, 1.5 MiB of 2.0 MiB`; `of at least` while the channel is still being listed."""
    if not progress.of_objects:
        return f"channel {channel}"
    of = "of" if progress.listed else "of at least"
    return (
        f"channel {channel}: {progress.objects} {of} {progress.of_objects} objects, "
        f"{gibibytes(progress.bytes)} {of} {gibibytes(progress.of_bytes)}"
    )
