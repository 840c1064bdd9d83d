"""Follows the output of a sandbox, which its shim writes into files (`output`)."""

import os
import select
import time
from collections.abc import Iterator, Mapping
from typing import get_args

from sagestone.containers.runtime import LogSink, LostSink, RuntimeFailure, Stream
from sagestone.containers.sandbox.record import Record

_LOOK_MILLISECONDS = 50
_CHUNK = 1 << 18


def copy_logs(record: Record, sink: LogSink, skip: Mapping[Stream, int], lost: LostSink) -> None:
    """Deliver what was written and what will be, until the container has ended."""
    offsets: dict[Stream, int] = {stream: skip.get(stream, 0) for stream in get_args(Stream)}
    shim: int | None = None
    try:
        while True:
            ended = record.exit() is not None  # before reading: what follows is then all there is
            if shim is None:
                shim = record.open_shim()
            for stream in offsets:
                offsets[stream] = _deliver(record, stream, offsets[stream], sink, lost)
            if ended:
                return
            _pause(shim)
            if not record.directory.is_dir():
                raise RuntimeFailure(f"container {record.name} was removed while its output was read")
    finally:
        if shim is not None:
            os.close(shim)


def _pause(shim: int | None) -> None:
    """Until it is time to look again, or the container has ended."""
    if shim is None:
        time.sleep(_LOOK_MILLISECONDS / 1000)
        return
    poll = select.poll()
    poll.register(shim, select.POLLIN)
    poll.poll(_LOOK_MILLISECONDS)


def _deliver(record: Record, stream: Stream, offset: int, sink: LogSink, lost: LostSink) -> int:
    """Hand on what there is from `offset`; the offset then."""
    while True:
        begin = offset
        for start, file in _files(record, stream, offset):
            if start > offset:
                lost(stream, start - offset)
                offset = start
            try:
                while data := os.pread(file, _CHUNK, offset - start):
                    sink(stream, data)
                    offset += len(data)
            finally:
                os.close(file)
        if offset == begin:
            return offset


def _files(record: Record, stream: Stream, offset: int) -> Iterator[tuple[int, int]]:
    """The files that hold something from `offset` on, in order, open; one that has just gone is passed over."""
    try:
        starts = sorted(int(path.suffix[1:]) for path in record.directory.iterdir() if path.stem == stream)
    except FileNotFoundError:
        return
    for index, start in enumerate(starts):
        if any(following <= offset for following in starts[index + 1 : index + 2]):
            continue
        try:
            file = os.open(record.directory / f"{stream}.{start}", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        yield start, file
