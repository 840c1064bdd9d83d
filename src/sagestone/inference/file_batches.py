"""Mini-batches of what lies in a file of this machine: nothing but the ends of lines is looked for."""

import os
from collections.abc import Iterator

from sagestone.inference.batch import MEASURED, Batch, RecordTooLarge
from sagestone.inference.file_body import Buffers, FileBody

_BLOCK = 64 * 1024


def file_batches(file: int, size: int, *, lines: bool, limit: int, buffers: Buffers) -> Iterator[Batch]:
    """The first `size` bytes of an open file in as few batches of whole lines as their `limit` of bytes allows.

    Without `lines` the file is a single record.

    What `mini_batches` promises holds here too; lines are not counted. Nothing is held of a batch.
    """
    start = 0
    while start < size:
        stop = start
        if size - start <= limit:
            stop = size
        elif lines:
            stop = _last_end(file, start, start + limit)
        if stop == start:
            record, more = _measure(file, start, size) if lines else (size, False)
            raise RecordTooLarge(record=0, size=record, more=more, limit=limit, offset=start)
        body = FileBody(file, start, stop, buffers)
        yield Batch(body=body, first_record=0, records=0, offset=start)
        start = stop


def _last_end(file: int, start: int, stop: int) -> int:
    """The end of the last line that ends between the two places; `start` where none does."""
    while stop > start:
        block = max(start, stop - _BLOCK)
        found = os.pread(file, stop - block, block).rfind(b"\n")
        if found >= 0:
            return block + found + 1
        stop = block
    return start


def _measure(file: int, start: int, size: int) -> tuple[int, bool]:
    """The size of the line that begins at `start`, and whether it is larger still."""
    at = start
    while at < size:
        block = os.pread(file, min(_BLOCK, size - at), at)
        found = block.find(b"\n")
        if found >= 0:
            return at + found + 1 - start, False
        if not block:
            break
        at += len(block)
        if at - start > MEASURED:
            return at - start, True
    return at - start, False
