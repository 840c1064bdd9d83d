"""Sends items from a store whose objects are files of this machine: the kernel moves them, we only name them."""

import os
from collections.abc import Iterator

from sagestone.channels.elements import Begin, Elements, Item, Reference, Span, Value
from sagestone.s3.client import S3, S3Failure, SourceObject

_SPLICED_FROM = 4096  # smaller objects are read, and written together


class LocalSource:
    """The elements of items; raises S3Failure."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def elements(self, items: Iterator[Item]) -> Elements:
        """Objects of at least 4 KiB as one Span, smaller ones and values as bytes."""
        for item in items:
            if isinstance(item, Value):
                yield Begin("")
                yield item.data
                continue
            found = _found(self._s3, item)
            yield Begin(str(found.uri))
            file = self._s3.open(found)
            try:
                if found.size >= _SPLICED_FROM:
                    yield Span(file, 0, found.size)
                else:
                    yield os.read(file, found.size)
            finally:
                os.close(file)


def _found(s3: S3, item: SourceObject | Reference) -> SourceObject:
    if isinstance(item, SourceObject):
        return item
    try:
        info = s3.head(item.uri)
    except S3Failure as error:
        raise S3Failure(f"{error} ({item.named_by})") from error
    return SourceObject(item.uri, info.size, info.etag, info.place)
