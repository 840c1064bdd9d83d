"""Feeds one channel, epoch by epoch, on a thread of its own."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sagestone.channels.elements import Elements, Item, Pause, Pour, Ready, Run, Span, shorter
from sagestone.channels.fifo import Fifo, NotAFifo
from sagestone.channels.pipe_end import PipeEnd, ReaderGone
from sagestone.domain.failure import Failure, JobFailure
from sagestone.s3.client import S3Failure, fault_of

_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.05


class EpochJournal:
    """How far a channel has come, in a small file that outlives the agent: `7 offered` or `7 begun`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, epoch: int, *, begun: bool) -> None:
        """Not forced to the disk: what dies without the machine finds it, and with the machine all is lost."""
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(f"{epoch} {'begun' if begun else 'offered'}")
        fresh.replace(self._path)

    def read(self) -> tuple[int, bool]:
        """The epoch, and whether somebody has begun to read it; raises OSError or ValueError."""
        epoch, _, word = self._path.read_text().partition(" ")
        return int(epoch), word != "offered"


class EpochFeeder:
    """Offers the FIFO of an epoch, feeds it when somebody opens it, and goes on with the next one.

    The FIFO of the next epoch is there before the first byte of this one. An epoch ends with its data, or when its
    reader closes early; its FIFO is then taken away. When the data fail, the FIFO stays open, so that its reader waits
    instead of taking what came for all there is.
    """

    def __init__(
        self,
        channel: str,
        directory: int,
        journal: EpochJournal,
        elements: Callable[[int], Elements],
        first: int,
    ) -> None:
        self._channel, self._directory, self._journal, self._elements = channel, directory, journal, elements
        self._epoch = first
        self._fifo = self._offer(first)
        self._end: PipeEnd | None = None
        self._stopping = threading.Event()
        self.failure: Failure | None = None
        self.was_read = False  # whether anybody has opened a FIFO
        self._thread = threading.Thread(target=self._run, name=f"pipe-{channel}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, when nobody reads any more; idempotent. Raises OSError when it does not end."""
        self._stopping.set()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._thread.is_alive():
            self._fifo.wake()
            self._thread.join(_LOOK_SECONDS)
            if time.monotonic() > deadline:
                raise OSError(f"the feeder of channel {self._channel} does not end")
        if self._end is not None:
            self._end.close()
        if self._directory >= 0:
            self._fifo.remove()
            os.close(self._directory)
            self._directory = -1

    def _offer(self, epoch: int) -> Fifo:
        try:
            return Fifo(self._directory, f"{self._channel}_{epoch}")
        except NotAFifo as error:
            raise JobFailure(
                "algorithm",
                f"The program put something else at /opt/ml/input/data/{self._channel}_{epoch}, where epoch {epoch} of "
                f"channel {self._channel} is to be read",
            ) from error

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._run_epoch()
        except JobFailure as error:
            self.failure = error.failure
        except S3Failure as error:
            self.failure = Failure(fault=fault_of(error), message=self._unreadable(str(error)))
        except Exception as error:  # noqa: BLE001 a thread that dies silently would leave its reader waiting for ever
            if not self._stopping.is_set():
                self.failure = Failure(fault="internal", message=self._unreadable(f"{type(error).__name__}: {error}"))

    def _run_epoch(self) -> None:
        self._end = end = self._fifo.open()
        if self._stopping.is_set():
            return
        self.was_read = True
        self._journal.write(self._epoch, begun=True)
        following = self._offer(self._epoch + 1)
        with closing(self._elements(self._epoch)) as elements:
            try:
                _feed(elements, end)
            except ReaderGone:
                pass  # closed early: the next epoch begins at the start
        self._fifo.remove()
        self._epoch, self._fifo = self._epoch + 1, following
        self._journal.write(self._epoch, begun=False)
        end.close()

    def _unreadable(self, what: str) -> str:
        return f"Data download failed:Channel {self._channel} cannot be read on in epoch {self._epoch}: {what}"


def _feed(elements: Elements, end: PipeEnd) -> None:
    item: Item | None = None
    for element in elements:
        if isinstance(element, bytes):
            end.write(element)
        elif isinstance(element, Ready):
            end.write(element.data)
        elif isinstance(element, Span):
            try:
                end.splice(element.file, element.start, element.stop)
            except EOFError as error:
                raise shorter(item) from error
        elif isinstance(element, Pour):
            end.pour(element.into)
        elif isinstance(element, Run):
            element.send(end)
        elif isinstance(element, Pause):
            end.flush()
        else:
            item = element
    end.flush()
