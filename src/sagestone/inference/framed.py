"""Mini-batches of framed records: frames as they are, or the bytes of one record without its frame."""

from collections.abc import Iterable, Iterator

from sagestone.inference.batch import Batch, RecordTooLarge
from sagestone.inference.framing import Damaged, Frame, Framing
from sagestone.inference.spool import NewSpool, Spool

_WHOLE = 256 * 1024  # a record up to this size is looked at in one piece
_GZIP = b"\x1f\x8b"


class RecordDamaged(Exception):
    """The bytes from `offset` on are not record `record` of the format; the text is a clause about it."""

    def __init__(self, text: str, *, record: int, offset: int) -> None:
        super().__init__(text)
        self.record, self.offset = record, offset


def framed_batches(
    pieces: Iterable[bytes], framing: Framing, *, single: bool, limit: int | None, new_spool: NewSpool
) -> Iterator[Batch]:
    """Cut an object into batches of at most `limit` bytes (None: unlimited).

    1. With `single` each has the bytes of one record, its frame taken away; an empty record is an empty batch.
    2. Else each has as many whole frames as fit: joined they are the object, byte for byte.
    3. A record that does not fit raises RecordTooLarge after the batches before it; the limit is for what is sent.
    4. Anything that is not a record, or not a whole one, raises RecordDamaged.
    Nothing is held but the batch that grows, in its Spool. The caller closes the bodies.
    """
    records = _Records(pieces, framing, keeps_frames=not single, limit=limit, new_spool=new_spool)
    body, count, number = new_spool(), 0, 0
    try:
        while True:
            try:
                record = records.following()
            except RecordTooLarge:
                if count:
                    full, body = Batch(body=body, first_record=number - count + 1, records=count), new_spool()
                    yield full
                raise
            if record is None:
                break
            size = len(record) if isinstance(record, bytes) else record.size
            if count and (single or (limit is not None and body.size + size > limit)):
                full, body = Batch(body=body, first_record=number - count + 1, records=count), new_spool()
                count = 0
                yield full
            number, count = number + 1, count + 1
            if isinstance(record, bytes):
                body.write(record)
            elif body.size == 0:
                body.close()
                body = record
            else:
                for data in record.pieces():
                    body.write(data)
                record.close()
        if count:
            full, body = Batch(body=body, first_record=number - count + 1, records=count), new_spool()
            yield full
    finally:
        body.close()


class _Records:
    """The records of an object one by one: small ones as bytes, others in a Spool."""

    def __init__(
        self, pieces: Iterable[bytes], framing: Framing, *, keeps_frames: bool, limit: int | None, new_spool: NewSpool
    ) -> None:
        self._source, self._framing, self._keeps_frames = iter(pieces), framing, keeps_frames
        self._limit, self._new_spool = limit, new_spool
        self._data, self._at, self._before = b"", 0, 0  # what is at hand, the place in it, how much came before it
        self._number = 0

    def following(self) -> bytes | Spool | None:
        """The next record as it is sent; None at the end of the object."""
        head_size = self._framing.head
        if not self._have(head_size) and self._at == len(self._data):
            return None
        self._number += 1
        start = self._before + self._at
        try:
            frame = self._open(inside=False)
            if frame.more or head_size + frame.size + frame.tail > _WHOLE:
                return self._long(frame, start)
            return self._short(frame)
        except Damaged as error:
            text = str(error)
            if start == 0 and self._data.startswith(_GZIP):
                text += "; the object looks like gzip: TransformInput.CompressionType Gzip undoes it"
            raise RecordDamaged(text, record=self._number, offset=start) from error

    def _open(self, *, inside: bool) -> Frame:
        head = self._framing.head
        if not self._have(head):
            raise Damaged(f"the object ends after {len(self._data) - self._at} of the {head} bytes before it")
        return self._framing.open(self._data[self._at : self._at + head], inside=inside)

    def _short(self, frame: Frame) -> bytes:
        head, size, tail = self._framing.head, frame.size, frame.tail
        if not self._have(head + size + tail):
            raise Damaged(
                f"the object ends after {len(self._data) - self._at} of its {head + size + tail} bytes with their frame"
            )
        start, end = self._at, self._at + head + size + tail
        record = self._data[start + head : start + head + size]
        self._framing.check(self._data[end - tail : end], self._framing.sum(record, 0))
        self._at = end
        sent = self._data[start:end] if self._keeps_frames else record
        if self._limit is not None and len(sent) > self._limit:
            raise RecordTooLarge(record=self._number, size=len(sent), more=False, limit=self._limit)
        return sent

    def _long(self, frame: Frame, start: int) -> Spool:
        """A record that is large or has several parts."""
        record = self._new_spool()
        try:
            while True:
                self._part(frame, record)
                if not frame.more:
                    return record
                joint = frame.joint
                frame = self._open(inside=True)
                if not self._keeps_frames:
                    record.write(joint)
        except BaseException:
            record.close()
            raise

    def _part(self, frame: Frame, record: Spool) -> None:
        head, keeps = self._framing.head, self._keeps_frames
        size = record.size + frame.size + (head + frame.tail if keeps else 0)
        if self._limit is not None and size > self._limit:
            raise RecordTooLarge(record=self._number, size=size, more=frame.more, limit=self._limit)
        checksum = 0
        for data in self._take(head):
            if keeps:
                record.write(data)
        for data in self._take(frame.size):
            checksum = self._framing.sum(data, checksum)
            record.write(data)
        tail = b"".join(self._take(frame.tail))
        self._framing.check(tail, checksum)
        if keeps:
            record.write(tail)

    def _take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, in pieces."""
        left = size
        while left:
            if self._at == len(self._data) and not self._have(1):
                raise Damaged(f"the object ends {left} bytes before the end of it")
            data = self._data[self._at : self._at + left]
            self._at += len(data)
            left -= len(data)
            yield data

    def _have(self, size: int) -> bool:
        """Whether so many bytes are at hand in one piece, after reading on where they are not."""
        if len(self._data) - self._at >= size:
            return True
        rest = [self._data[self._at :]]
        self._before += self._at
        self._at, found = 0, len(rest[0])
        while found < size:
            piece = next(self._source, None)
            if piece is None:
                break
            rest.append(piece)
            found += len(piece)
        self._data = b"".join(rest)
        return found >= size
