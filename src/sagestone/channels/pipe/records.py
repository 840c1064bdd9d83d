"""Wraps each item that a channel sends into a RecordIO record (RecordWrapperType RecordIO)."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from sagestone.channels.elements import Element, Elements, Item, Pause, Ready, Span, name_of
from sagestone.channels.recordio import LONGEST_PAYLOAD, parts, record
from sagestone.domain.failure import JobFailure

_SPLICED_FROM = 4096  # smaller parts are read, and written together


def recorded(elements: Elements, channel: str, scratch: Path, in_memory: int) -> Elements:
    """One record for each item, also for an empty one.

    A record begins with its length, so an item is looked at whole before any of it is sent: in memory up to
    `in_memory` bytes, else in the file that it is, or in a nameless one in `scratch`. Raises JobFailure (client) for
    one of 2^29 bytes or more.
    """
    payload = _Payload(scratch, channel, in_memory)
    for element in elements:
        if isinstance(element, bytes):
            payload.add(element)
        elif isinstance(element, Pause):
            yield element
        elif isinstance(element, Ready):  # whole items before which another one has ended
            yield from payload.end()
            yield element
        elif isinstance(element, Span):  # the whole item
            payload.check(element.stop)
            payload.done()
            yield from of_file(element.file, element.stop)
        elif isinstance(element, Item):
            yield from payload.end()
            payload.begin(element)
    yield from payload.end()


class _Payload:
    """The bytes of one item, as far as they have come."""

    def __init__(self, scratch: Path, channel: str, in_memory: int) -> None:
        self._scratch, self._channel, self._in_memory = scratch, channel, in_memory
        self._item: Item | None = None
        self._pieces: list[bytes] = []
        self._spool: IO[bytes] | None = None
        self.size = 0

    def begin(self, item: Item) -> None:
        self._item, self.size = item, 0

    def done(self) -> None:
        self._item = None

    def check(self, size: int) -> None:
        if size > LONGEST_PAYLOAD:
            raise too_long(self._channel, self._item)

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.check(self.size)
        if self._spool is None and self.size <= self._in_memory:
            self._pieces.append(data)
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(dir=self._scratch, buffering=0)  # noqa: SIM115 closed by end
            for piece in self._pieces:
                self._spool.write(piece)
            self._pieces = []
        self._spool.write(data)

    def end(self) -> Iterable[Element]:
        """The record of what was added; nothing where no item was begun."""
        if self._item is None:
            return ()
        self._item = None
        if self._spool is not None:
            return self._spooled(self._spool)
        pieces, self._pieces = self._pieces, []
        return record(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _spooled(self, spool: IO[bytes]) -> Iterator[Element]:
        self._spool = None
        with spool:
            yield from of_file(spool.fileno(), self.size)


def too_long(channel: str, item: Item | None) -> JobFailure:
    """The failure for an item that no record holds."""
    return JobFailure(
        "client",
        f"Data download failed:Channel {channel} has RecordWrapperType RecordIO, but {name_of(item)} has 512 MiB or "
        "more, and a record holds less. Split the object, or leave RecordWrapperType out.",
    )


def of_file(file: int, size: int) -> Iterator[Span | bytes]:
    """The record of what an open file has."""
    for part in parts(lambda start, stop: os.pread(file, stop - start, start), size):
        yield part.header
        if part.stop - part.start >= _SPLICED_FROM:
            yield Span(file, part.start, part.stop)
        else:
            yield os.pread(file, part.stop - part.start, part.start)
        if part.padding:
            yield part.padding
