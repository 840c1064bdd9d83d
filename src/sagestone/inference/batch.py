"""Mini-batches: what one request holds (BatchStrategy, MaxPayloadInMB)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sagestone.inference.file_body import FileBody
from sagestone.inference.split import Splitter
from sagestone.inference.spool import NewSpool, Spool

#: MaxPayloadInMB counts in these (the contract leaves it open; serving toolkits multiply the same way).
MEGABYTE = 1024 * 1024

MEASURED = 128 * MEGABYTE  # how far the size of a record that is too large is followed: more never fits


class RecordTooLarge(Exception):
    """A record does not fit into one request; `more` says that it is even larger than `size`.

    It is number `record` of its object (0: not counted), and `offset` bytes come before it.
    """

    def __init__(self, *, record: int, size: int, more: bool, limit: int, offset: int = 0) -> None:
        super().__init__(f"record {record} has {'more than ' if more else ''}{size} bytes, a request at most {limit}")
        self.record, self.size, self.more, self.limit, self.offset = record, size, more, limit, offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The body of one request: `records` whole records, the first of which is number `first_record` of its object.

    Both are 0 where they were not counted; `offset` bytes of the object come before it.
    """

    body: Spool | FileBody
    first_record: int
    records: int
    offset: int = 0


def mini_batches(
    pieces: Iterable[bytes],
    splitter: Splitter,
    *,
    single: bool,
    limit: int | None,
    new_spool: NewSpool,
    count: bool = True,
) -> Iterator[Batch]:
    """Cut an object into batches of at most `limit` bytes (None: unlimited), exactly one record each when `single`.

    1. Joined they are the object, byte for byte; none is empty; an empty object has none.
    2. No record is divided, and without `single` no batch could have taken the next record too.
    3. A record of more than `limit` bytes raises RecordTooLarge, after the batches before it.
    Nothing is held but the batch that grows, in its Spool. The caller closes the bodies. Counting short records takes
    longer than cutting them: without `count` nobody does.
    """
    body, offset, first = new_spool(), 0, int(count)
    records = whole = 0  # the first `whole` bytes of the body are `records` records
    source = iter(pieces)
    try:
        for piece in source:
            start = 0
            while start < len(piece):
                stop = len(piece) if limit is None else min(len(piece), start + limit - body.size)
                find = splitter.first_end if single else splitter.last_end
                end = find(piece, start, stop)
                if end >= 0:
                    records += 1 if single else splitter.count(piece, start, end) if count else 0
                    whole = body.size + end - start
                if stop == len(piece) and not (single and end >= 0):  # all of it has room
                    body.write(piece[start:])
                    break
                if whole == 0:
                    size, more = _measure(splitter, piece, start, source, body.size)
                    raise RecordTooLarge(record=first, size=size, more=more, limit=limit or 0, offset=offset)
                if end >= 0:
                    body.write(piece[start:end])
                    start = end
                full = Batch(body=body, first_record=first, records=records, offset=offset)
                offset += whole
                body, first, records, whole = _carry(body, whole, new_spool), first + records, 0, 0
                yield full
        if body.size:
            last = int(count and body.size > whole)
            full = Batch(body=body, first_record=first, records=records + last, offset=offset)
            body = new_spool()
            yield full
    finally:
        body.close()


def _carry(body: Spool, whole: int, new_spool: NewSpool) -> Spool:
    """A new body that begins with what `body` holds beyond its whole records; that is cut off there."""
    following = new_spool()
    if body.size > whole:
        for data in body.pieces(whole):
            following.write(data)
        body.cut(whole)
    return following


def _measure(splitter: Splitter, piece: bytes, start: int, rest: Iterator[bytes], size: int) -> tuple[int, bool]:
    """The size of the record whose first `size` bytes came before piece[start:], and whether it is larger still."""
    while True:
        end = splitter.first_end(piece, start, len(piece))
        if end >= 0:
            return size + end - start, False
        size += len(piece) - start
        if size > MEASURED:
            return size, True
        following = next(rest, None)
        if following is None:
            return size, False
        piece, start = following, 0
