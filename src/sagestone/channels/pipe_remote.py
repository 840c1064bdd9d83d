"""Sends items from a store that answers over a network: several requests at a time, ahead of the reader, in order.

Objects of up to 64 KiB are fetched in groups, larger ones in ranges of 4 MiB. What is under way or waits to be sent is
bounded by the window, in bytes; so is memory, whatever the objects are. How large a referenced object is comes out when
it comes: if it is more than a range, it is begun again as a large one.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from sagestone.channels.elements import PAUSE, Begin, Element, Elements, Item, Reference, Value
from sagestone.s3.client import S3, S3Failure, SourceObject

THREADS = 6
RANGE = 4 * 1024 * 1024
_GROUPED_UP_TO = 64 * 1024
_GROUP_BYTES = 256 * 1024
_MOST_GROUPED = 16


class Fetchers:
    """The threads that fetch for all channels of an instance; they are made when the first one is needed."""

    def __init__(self, channels: int) -> None:
        self.window = max(2 * RANGE, 48 * 1024 * 1024 // max(channels, 1))
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    @property
    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")
            return self._pool

    def stop(self) -> None:
        """Begin nothing new; idempotent."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Group:
    """Small items, one after the other."""

    items: tuple[Item, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Range:
    """A part of a larger object."""

    found: SourceObject
    start: int
    size: int


_Task = _Group | _Range


class RemoteSource:
    """The elements of items; raises S3Failure where one cannot be fetched, and not before all items ahead of it."""

    def __init__(self, s3: S3, fetchers: Fetchers) -> None:
        self._s3, self._fetchers = s3, fetchers

    def elements(self, items: Iterator[Item]) -> Elements:
        """Everything as bytes; a Pause where the next bytes are not there yet."""
        waiting: deque[tuple[_Task, Future[list[Element | SourceObject]]]] = deque()
        planned, tasks = 0, _tasks(items)
        try:
            while True:
                while planned < self._fetchers.window and (batch := list(islice(tasks, 1))):
                    task = batch[0]
                    planned += task.size
                    waiting.append((task, self._fetchers.pool.submit(self._fetch, task)))
                if not waiting:
                    return
                task, future = waiting.popleft()
                if not future.done():
                    yield PAUSE
                elements = future.result()
                del future
                while elements:
                    element = elements.pop(0)
                    if isinstance(element, SourceObject):
                        yield from self.elements(iter((element,)))
                    else:
                        yield element
                planned -= task.size
        finally:
            for _, future in waiting:
                future.cancel()

    def _fetch(self, task: _Task) -> list[Element | SourceObject]:
        """What a task gives; an object in the place of its elements is to be fetched as a large one."""
        elements: list[Element | SourceObject] = []
        if isinstance(task, _Range):
            if task.start == 0:
                elements.append(Begin(str(task.found.uri)))
            elements += self._s3.pieces(task.found, task.start, task.start + task.size)
            return elements
        for item in task.items:
            if isinstance(item, Value):
                elements += (Begin(""), item.data)
            elif isinstance(item, SourceObject):
                elements += (Begin(str(item.uri)), *self._s3.pieces(item, 0, item.size))
            else:
                elements += self._referenced(item)
        return elements

    def _referenced(self, item: Reference) -> list[Element | SourceObject]:
        elements: list[Element | SourceObject] = [Begin(str(item.uri))]
        size = 0
        try:
            with self._s3.read(item.uri) as pieces:
                for piece in pieces:
                    elements.append(piece)
                    size += len(piece)
                    if size > RANGE:
                        break
                else:
                    return elements
            info = self._s3.head(item.uri)
        except S3Failure as error:
            raise S3Failure(f"{error} ({item.named_by})") from error
        return [SourceObject(item.uri, info.size, info.etag)]


def _tasks(items: Iterator[Item]) -> Iterator[_Task]:
    group: list[Item] = []
    size = 0
    for item in items:
        large = isinstance(item, SourceObject) and item.size > _GROUPED_UP_TO
        weight = _weight(item)
        if group and (
            large or isinstance(item, Reference) or size + weight > _GROUP_BYTES or len(group) >= _MOST_GROUPED
        ):
            yield _Group(tuple(group), size)
            group, size = [], 0
        if large:
            assert isinstance(item, SourceObject)
            for start in range(0, item.size, RANGE):
                yield _Range(item, start, min(RANGE, item.size - start))
        else:
            group.append(item)
            size += weight
    if group:
        yield _Group(tuple(group), size)


def _weight(item: Item) -> int:
    """What an item counts for: its size, and something for the request."""
    if isinstance(item, Value):
        return 64 + len(item.data)
    return RANGE if isinstance(item, Reference) else 1024 + item.size
