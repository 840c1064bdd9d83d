"""Pipe mode: a program reads its channel from FIFOs, `<channel>_0`, `<channel>_1` … one for each epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sagestone.channels.catalogue import Catalogue
from sagestone.channels.fifo import open_directory
from sagestone.channels.pipe.epochs import EpochFeeder, EpochJournal
from sagestone.channels.pipe.flow import Flow
from sagestone.channels.pipe.items import PipeItems
from sagestone.channels.pipe.remote import Fetchers
from sagestone.containers.runtime import Mount
from sagestone.domain.channel import Channel
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3


@dataclass(frozen=True, slots=True, kw_only=True)
class PipePlaces:
    """Where the channels of an instance live: the tree that is mounted at /opt/ml, and a directory of the agent's."""

    opt_ml: Path
    scratch: Path
    spools: Path  # for records that are too long to be held


class PipeChannel:
    """The live part of a channel in Pipe mode; see `channels.live` for its promises.

    What it sends is listed once, when the job starts, so that every epoch has the same objects. An agent that replaces
    a dead one goes on where no epoch had been begun or the last one had been sent whole. In the middle of one it fails
    the job: the death of the first agent was the end of the data for the reader. So it does at the end of a program
    that has read nothing from the second agent: it may have opened the channel just before the first one died.
    """

    def __init__(self, s3: S3, channel: Channel, share: Share, places: PipePlaces, fetchers: Fetchers) -> None:
        self._s3, self._channel, self._share, self._places, self._fetchers = s3, channel, share, places, fetchers
        self._list = places.scratch / f"pipe-{channel.name}.list"
        self._journal = EpochJournal(places.scratch / f"pipe-{channel.name}.epoch")
        self._items: PipeItems | None = None
        self._flow: Flow | None = None
        self._feeder: EpochFeeder | None = None
        self._failure: Failure | None = None
        self._in_doubt = False  # whether the program may have read an end of the data that was none

    def start(self, watch: Callable[[], None]) -> int:
        self._places.scratch.mkdir(exist_ok=True)
        items = PipeItems.list(self._s3, self._channel, self._share, self._list, watch)
        if len(items):
            self._journal.write(0, begun=False)
            self._feed(items, 0)
        return len(items)

    def resume(self) -> None:
        name = self._channel.name
        try:
            epoch, begun = self._journal.read()
            items = PipeItems(self._channel, self._share, Catalogue(self._list))
        except (OSError, ValueError) as error:
            self._fail(f"Channel {name} cannot be taken up again after its agent died: {error}")
            return
        if begun:
            self._fail(
                f"The agent died while it streamed epoch {epoch} of channel {name}: the program took the break for the "
                "end of the data, so what it learnt is not to be trusted. Start the job again"
            )
            return
        self._in_doubt = epoch == 0
        try:
            self._feed(items, epoch)
        except JobFailure as error:
            self._failure = error.failure
        except OSError as error:
            self._fail(f"Channel {name} cannot be taken up again after its agent died: {error}")

    def failure(self) -> Failure | None:
        return self._failure or (self._feeder.failure if self._feeder is not None else None)

    def settled(self) -> bool:
        if self._in_doubt and self._failure is None and self._feeder is not None and not self._feeder.was_read:
            self._fail(
                f"The agent died before it streamed channel {self._channel.name}, and the program has not read that "
                "since: whether it took the break for the end of the data cannot be told. Start the job again"
            )
        return True

    def stop(self) -> None:
        self._fetchers.stop()
        if self._feeder is not None:
            self._feeder.stop()
        if self._flow is not None:
            self._flow.close()
        if self._items is not None:
            self._items.close()

    def mounts(self) -> tuple[Mount, ...]:
        return ()

    def _feed(self, items: PipeItems, epoch: int) -> None:
        directory = open_directory(self._places.opt_ml, "input", "data")
        self._items = items
        self._flow = flow = Flow(self._s3, self._channel, items, self._fetchers, self._places.spools)
        self._feeder = EpochFeeder(self._channel.name, directory, self._journal, flow.elements, epoch)

    def _fail(self, message: str) -> None:
        self._failure = Failure(fault="internal", message=message)
