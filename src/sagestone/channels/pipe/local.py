"""Sends items from a store whose objects are files of this machine: the kernel moves them, we only name them."""

import os
from collections.abc import Iterator

from sagestone.channels.elements import Elements, Item, Reference, Span, Value
from sagestone.s3.client import S3, S3Failure, SourceObject


class LocalSource:
    """The elements of items; raises S3Failure. Objects of fewer bytes than `spliced_from` are read."""

    def __init__(self, s3: S3, spliced_from: int) -> None:
        self._s3, self._spliced_from = s3, spliced_from

    def elements(self, items: Iterator[Item]) -> Elements:
        """Large objects as one Span, smaller ones and values as bytes."""
        with self._s3.opener() as open_object:
            for item in items:
                yield item
                if isinstance(item, Value):
                    yield item.data
                    continue
                found = item if isinstance(item, SourceObject) else _found(self._s3, item)
                file = open_object(found)
                if file is None:
                    yield from self._s3.pieces(found, 0, found.size)
                    continue
                try:
                    if found.size >= self._spliced_from:
                        yield Span(file, 0, found.size)
                    else:
                        yield os.read(file, found.size)
                finally:
                    os.close(file)


def _found(s3: S3, item: Reference) -> SourceObject:
    try:
        info = s3.head(item.uri)
    except S3Failure as error:
        raise S3Failure(f"{error} ({item.named_by})") from error
    return SourceObject(item.uri, info.size, info.etag, info.place)
