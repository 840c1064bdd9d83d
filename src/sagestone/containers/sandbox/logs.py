"""Follows the output of a sandbox, which its shim writes into files."""

import os
import select
import time
from collections.abc import Mapping
from typing import get_args

from sagestone.containers.runtime import LogSink, RuntimeFailure, Stream
from sagestone.containers.sandbox.record import Record
from sagestone.containers.sandbox.shim import STDERR, STDOUT

_FILES: dict[Stream, str] = {"stdout": STDOUT, "stderr": STDERR}
_LOOK_MILLISECONDS = 50
_CHUNK = 1 << 18


def copy_logs(record: Record, sink: LogSink, skip: Mapping[Stream, int]) -> None:
    """Deliver what was written and what will be, until the container has ended."""
    offsets: dict[Stream, int] = {stream: skip.get(stream, 0) for stream in get_args(Stream)}
    shim: int | None = None
    try:
        while True:
            ended = record.exit() is not None  # before reading: what follows is then all there is
            if shim is None:
                shim = record.open_shim()
            for stream in offsets:
                offsets[stream] += _deliver(record, stream, offsets[stream], sink)
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


def _deliver(record: Record, stream: Stream, offset: int, sink: LogSink) -> int:
    try:
        descriptor = os.open(record.directory / _FILES[stream], os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0  # not started yet
    delivered = 0
    try:
        while data := os.pread(descriptor, _CHUNK, offset + delivered):
            sink(stream, data)
            delivered += len(data)
    finally:
        os.close(descriptor)
    return delivered
