"""Puts together how items reach a channel's FIFO: from where they come, and what is done to them on the way."""

from functools import partial
from pathlib import Path

from sagestone.channels.elements import Elements, Run
from sagestone.channels.pipe.gunzip import ahead, gunzipped
from sagestone.channels.pipe.held import HeldFiles
from sagestone.channels.pipe.items import PipeItems
from sagestone.channels.pipe.local import LocalSource
from sagestone.channels.pipe.records import recorded
from sagestone.channels.pipe.remote import Fetchers, RemoteSource
from sagestone.channels.pipe.runs import FileRun, RecordRun
from sagestone.channels.recordio import record
from sagestone.domain.channel import Channel
from sagestone.s3.client import S3, SourceObject

_JOINED_BELOW = 4096  # bytes: smaller objects are read, and written together; others the kernel moves
_LONGEST_GUNZIPPED = 1024 * 1024  # bytes of one piece
_GUNZIPPED_AHEAD = 8  # pieces
_LONGEST_IN_MEMORY = 4 * 1024 * 1024  # of a record; what is longer is put into a file first
_READ_BELOW = 64 * 1024  # where each object is looked through anyway


class Flow:
    """What a channel sends in each of its epochs; `spools` is for records that are too long to be held."""

    def __init__(self, s3: S3, channel: Channel, items: PipeItems, fetchers: Fetchers, spools: Path) -> None:
        self._s3, self._channel, self._items = s3, channel, items
        self._fetchers, self._spools = fetchers, spools
        self._records = channel.record_wrapper == "RecordIO"
        self._packed = channel.compression == "Gzip"
        self._held = HeldFiles(len(items), fetchers.channels)
        self._files = FileRun(s3, self._held)
        self._run = RecordRun(s3, channel.name, len(items), self._recorded_object, self._held)

    def elements(self, epoch: int) -> Elements:
        """The elements of an epoch, from its start."""
        if self._s3.has_files and self._items.are_objects and not self._packed:
            return (element for element in (self._whole(epoch),))
        elements = self._source().elements(self._items.epoch(epoch))
        if self._packed:
            plain, piece = elements, min(_LONGEST_GUNZIPPED, self._fetchers.allowance // 16)
            elements = ahead(lambda: gunzipped(plain, self._channel.name, piece), _GUNZIPPED_AHEAD)
        return self._recorded(elements) if self._records else elements

    def close(self) -> None:
        """Let go of the files that are held; nobody asks for elements any more."""
        self._held.close()

    def _recorded(self, elements: Elements) -> Elements:
        in_memory = min(_LONGEST_IN_MEMORY, self._fetchers.allowance // 8)
        return recorded(elements, self._channel.name, self._spools, in_memory)

    def _recorded_object(self, found: SourceObject) -> Elements:
        """The record of one object that is read piece by piece."""
        return self._recorded(element for part in ((found,), self._s3.pieces(found, 0, found.size)) for element in part)

    def _whole(self, epoch: int) -> Run:
        run = self._run if self._records else self._files
        return Run(partial(run.send, self._items.places(epoch), self._items.objects(epoch)))

    def _source(self) -> LocalSource | RemoteSource:
        if self._s3.has_files:
            return LocalSource(self._s3, _READ_BELOW if self._records else _JOINED_BELOW)
        framed = None
        if self._items.are_objects and not self._packed:
            framed = record if self._records else _unframed
        return RemoteSource(self._s3, self._fetchers, framed, as_they_are=not self._records and not self._packed)


def _unframed(content: bytes) -> tuple[bytes]:
    return (content,)
