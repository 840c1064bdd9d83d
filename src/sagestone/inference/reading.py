"""From an input object to the requests it becomes."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from sagestone.archive.gunzip import BadGzip, gunzip
from sagestone.domain.failure import Fault
from sagestone.inference.batch import MEGABYTE, Batch, RecordTooLarge, mini_batches
from sagestone.inference.file_batches import file_batches
from sagestone.inference.file_body import Buffers, FileBody
from sagestone.inference.frame_check import checked_frames
from sagestone.inference.framed import RecordDamaged, framed_batches
from sagestone.inference.framing import Framing
from sagestone.inference.objects import InputObject, ObjectFailed
from sagestone.inference.parameters import Parameters
from sagestone.inference.processing import BadInput, Processing
from sagestone.inference.split import Lines, Splitter, WholeObject
from sagestone.inference.spool import NewSpool, Spool
from sagestone.s3.client import S3, AccessDenied, NoSuchBucket, NoSuchKey, S3Failure, SourceObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The body of a request; `pieces` gives it from the start each time it is called; `size` None: sent in chunks."""

    pieces: Callable[[], Iterator[bytes | memoryview]]
    size: int | None
    close: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to be made: `label` tells which part of the object, `load` gets its body (None: there is nothing).

    `discard` instead of `load` gives the request up. `records` is how many are in it; None: all of the object.
    `weight` is how many bytes are held until then.
    """

    label: Callable[[], str]
    load: Callable[[], Payload | None]
    records: int | None = None
    weight: int = 0
    discard: Callable[[], None] = lambda: None


class ObjectReader:
    """Reads input objects as the transform's CompressionType, SplitType and batch parameters say.

    Where a request has no limit, `most_bytes` is that of what is kept for one: a whole record may be a bomb.
    """

    def __init__(
        self,
        s3: S3,
        *,
        gzipped: bool,
        splitter: Splitter | Framing,
        parameters: Parameters,
        new_spool: NewSpool,
        most_bytes: int,
        processing: Processing | None = None,
    ) -> None:
        self._most_bytes = most_bytes
        self._s3, self._gzipped, self._splitter, self._new_spool = s3, gzipped, splitter, new_spool
        self._joins = processing is not None and processing.joins
        self._counts = processing is not None and processing.keep is not None
        self._etags: dict[int, str] = {}  # of objects that are read a second time, to be joined
        self._prepared = processing.prepared if processing is not None and processing.change_input is not None else None
        self._buffers = Buffers()
        self._single = parameters.batch_strategy == "SingleRecord"
        self._limit = parameters.max_payload_mb * MEGABYTE if parameters.max_payload_mb else None
        as_it_is = not (gzipped or self._prepared or self._counts)
        in_file = isinstance(splitter, WholeObject) or (isinstance(splitter, Lines) and not self._single)
        self._sends_file = s3.has_files and as_it_is and in_file and self._limit is not None

    def requests(self, source: InputObject) -> Iterator[Outgoing]:
        """The requests of one object, in order; an empty one has none. Raises ObjectFailed.

        Batches of records are read here, one at a time; an object that goes as a whole is read by its `load`, so that
        several are read at once.
        """
        whole = isinstance(self._splitter, WholeObject)
        if self._joins:
            self._etags[source.number] = self._etag(source)
        if source.size == 0:
            return
        as_it_is = self._prepared is None and not self._gzipped
        if whole and as_it_is and self._limit is not None and source.size > self._limit:
            raise self._too_large(source, source.size, more=False, record=None)
        if self._limit is None and (whole or not self._single):
            yield Outgoing(label=str, load=lambda: self._stream(source))
        elif whole:
            yield Outgoing(label=str, load=lambda: self._whole(source))
        else:
            for payload, batch in self._batches(source):
                yield _loaded(payload, partial(self._label, source, batch, batch.body.size), batch)

    def originals(self, source: InputObject) -> Generator[bytes, None, None]:
        """The object's bytes, but for their compression, a second time; raises ObjectFailed, also when it changed."""
        if self._etag(source) != self._etags.pop(source.number, None):
            text = f"{source.uri} was written anew while it was transformed, so that nothing can be joined with it"
            raise ObjectFailed("client", text, (f"ClientError: {text}",))
        yield from self._plain(source)

    def _stream(self, source: InputObject) -> Payload | None:
        """The object itself, read anew for every attempt and never held; None when it turns out to be empty."""
        if self._gzipped or self._prepared is not None:
            with closing(self._sent(source)) as pieces:
                if not any(pieces):
                    return None
        return Payload(pieces=lambda: self._streamed(source), size=None, close=lambda: None)

    def _streamed(self, source: InputObject) -> Generator[bytes, None, None]:
        """What goes out of an object that is sent as a stream; raises ObjectFailed."""
        how = self._splitter
        with closing(self._sent(source)) as pieces:
            try:
                yield from checked_frames(pieces, how) if isinstance(how, Framing) else pieces
            except RecordDamaged as error:
                raise self._damaged(source, error) from error

    def _whole(self, source: InputObject) -> Payload | None:
        return next((payload for payload, *_ in self._batches(source)), None)

    def _batches(self, source: InputObject) -> Iterator[tuple[Payload, Batch]]:
        with closing(self._of_file(source) if self._sends_file else self._of_pieces(source)) as batches:
            try:
                for batch in batches:
                    yield self._payload(batch.body), batch
            except RecordTooLarge as error:
                whole = isinstance(self._splitter, WholeObject)
                record = None if whole else error.record or self._numbers(source, error.offset, error.offset + 1)[0]
                raise self._too_large(source, error.size, more=error.more, record=record) from error
            except RecordDamaged as error:
                raise self._damaged(source, error) from error

    def _of_file(self, source: InputObject) -> Generator[Batch, None, None]:
        """Batches that lie in the store's own file, read when they are sent; raises ObjectFailed."""
        try:
            found = self._s3.head(source.uri)
            with self._s3.opener() as opened:
                file = opened(SourceObject(source.uri, found.size, found.etag, found.place))
        except S3Failure as error:
            raise _unreadable(source, error) from error
        if file is None:
            yield from self._of_pieces(source)
            return
        try:
            assert self._limit is not None
            lines = isinstance(self._splitter, Lines)
            yield from file_batches(file, found.size, lines=lines, limit=self._limit, buffers=self._buffers)
        finally:
            os.close(file)

    def _of_pieces(self, source: InputObject) -> Generator[Batch, None, None]:
        """Batches made of the object's bytes as they are read; raises ObjectFailed."""
        with closing(self._sent(source)) as pieces:
            yield from self._cut(pieces)

    def _cut(self, pieces: Iterator[bytes]) -> Iterator[Batch]:
        how, single, limit = self._splitter, self._single, self._limit or self._most_bytes
        if isinstance(how, Framing):
            return framed_batches(pieces, how, single=single, limit=limit, new_spool=self._new_spool)
        count = single or self._counts
        return mini_batches(pieces, how, single=single, limit=limit, new_spool=self._new_spool, count=count)

    def _label(self, source: InputObject, batch: Batch, size: int) -> str:
        first, last = batch.first_record, batch.first_record + batch.records - 1
        if not batch.records:
            try:
                first, last = self._numbers(source, batch.offset, batch.offset + size)
            except ObjectFailed:
                return f"bytes {batch.offset}-{batch.offset + size - 1}"
        return f"record {last}" if first == last else f"records {first}-{last}"

    def _numbers(self, source: InputObject, start: int, stop: int) -> tuple[int, int]:
        """The number of the line that begins at one place, and of the one that ends before another; reads it anew."""
        first, last, at = 1, 1, 0
        with closing(self._sent(source)) as pieces:
            for piece in pieces:
                first += piece.count(b"\n", 0, max(0, start - at))
                last += piece.count(b"\n", 0, max(0, stop - 1 - at))
                at += len(piece)
                if at >= stop:
                    break
        return first, last

    def _payload(self, body: Spool | FileBody) -> Payload:
        return Payload(pieces=body.buffers, size=None if self._limit is None else body.size, close=body.close)

    def _sent(self, source: InputObject) -> Generator[bytes, None, None]:
        """The object's bytes as the container gets them; raises ObjectFailed."""
        with closing(self._plain(source)) as pieces:
            try:
                yield from pieces if self._prepared is None else self._prepared(pieces)
            except BadInput as error:
                text = f"{source.uri}{f', record {error.record}' if error.record else ''}: {error}"
                raise ObjectFailed("client", text, (f"ClientError: {text}",)) from error

    def _etag(self, source: InputObject) -> str:
        try:
            return self._s3.head(source.uri).etag
        except S3Failure as error:
            raise _unreadable(source, error) from error

    def _plain(self, source: InputObject) -> Generator[bytes, None, None]:
        """The object's bytes without their compression; raises ObjectFailed."""
        try:
            with self._s3.read(source.uri) as pieces:
                yield from gunzip(pieces) if self._gzipped else pieces
        except BadGzip as error:
            text = f"{source.uri} is not a whole gzip file, though TransformInput.CompressionType is Gzip: {error}"
            raise ObjectFailed("client", text, (f"ClientError: {text}",)) from error
        except S3Failure as error:
            raise _unreadable(source, error) from error

    def _damaged(self, source: InputObject, error: RecordDamaged) -> ObjectFailed:
        assert isinstance(self._splitter, Framing)
        text = (
            f"{source.uri}, record {error.record}, which begins at byte {error.offset}, is no whole record of "
            f"TransformInput.SplitType {self._splitter.name}: {error}"
        )
        return ObjectFailed("client", text, (f"ClientError: {text}",))

    def _too_large(self, source: InputObject, size: int, *, more: bool, record: int | None) -> ObjectFailed:
        what = (
            f"{source.uri}, which is sent as a whole (SplitType None),"
            if record is None
            else f"{source.uri}, record {record},"
        )
        plain = " uncompressed" if self._gzipped else ""
        bound = f"a request holds at most MaxPayloadInMB={(self._limit or 0) // MEGABYTE} ({self._limit} bytes)"
        if self._limit is None:
            bound = f"an instance holds at most {self._most_bytes} bytes of a request that is not sent as a stream"
        text = f"{what} has {'more than ' if more else ''}{size} bytes{plain}, but {bound}"
        return ObjectFailed("client", text, (f"ClientError: {text}",))


def _unreadable(source: InputObject, error: S3Failure) -> ObjectFailed:
    fault: Fault = "client" if isinstance(error, NoSuchKey | NoSuchBucket | AccessDenied) else "internal"
    text = f"{source.uri} cannot be read: {error}"
    return ObjectFailed(fault, text, (text,))


def _loaded(payload: Payload, label: Callable[[], str], batch: Batch) -> Outgoing:
    weight, discard = batch.body.held, payload.close
    return Outgoing(label=label, load=lambda: payload, records=batch.records, weight=weight, discard=discard)
