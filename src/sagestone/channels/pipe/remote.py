"""Sends items from a store that answers over a network: several requests at a time, ahead of the reader, in order.

Objects of up to 64 KiB are fetched in groups, and made ready for sending where they are fetched; larger ones in ranges.
Where nothing is to be done to the bytes and the store can pour, the kernel moves those of more than a range. What is
under way or waits to be sent is bounded; so is memory, whatever the objects are. How large a referenced object is comes
out when it comes: if it is more than a range, it is begun again as a large one.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

from sagestone.channels.elements import PAUSE, Element, Elements, Item, Pour, Ready, Reference, Value
from sagestone.s3.client import S3, S3Failure, SourceObject

THREADS = 8
_MEMORY = 48 * 1024 * 1024
_LONGEST_RANGE = 4 * 1024 * 1024
_GROUPED_UP_TO = 64 * 1024
_GROUP_BYTES = 256 * 1024
_MOST_GROUPED = 32
_MOST_WAITING = 256  # tasks


#: Gives the pieces to send for an item's bytes.
Framed = Callable[[bytes], Sequence[bytes]]


class Fetchers:
    """The threads that fetch for all channels of an instance, made when the first one is needed, and their memory.

    `allowance` is what one channel may hold in bytes, `window` and `range` are how it spends it: tasks are begun until
    they are `window` together, and none is more than `range`.
    """

    def __init__(self, channels: int) -> None:
        self.channels = max(channels, 1)
        self.allowance = _MEMORY // self.channels
        self.range = min(_LONGEST_RANGE, self.allowance // 2)
        self.window = self.allowance - self.range
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


@dataclass(frozen=True, slots=True)
class _Large:
    """Stands for a referenced object that turned out to be more than a range."""

    found: SourceObject


@dataclass(frozen=True, slots=True)
class _Poured:
    """A larger object that is not fetched ahead."""

    found: SourceObject
    size: int = 0


_Task = _Group | _Range | _Poured


class RemoteSource:
    """The elements of items; raises S3Failure where one cannot be fetched, and not before all items ahead of it.

    `framed` gives what is to be sent for a small object, and is called where it was fetched: one thread that frames
    for all would be waited for. None: items come as elements of their own.
    """

    def __init__(self, s3: S3, fetchers: Fetchers, framed: Framed | None, *, as_they_are: bool) -> None:
        self._s3, self._fetchers, self._framed = s3, fetchers, framed
        self._pour_from = fetchers.range if as_they_are and s3.pours else sys.maxsize

    def elements(self, items: Iterator[Item]) -> Elements:
        """Everything as bytes, or to be poured; a Pause where the next bytes are not there yet."""
        waiting: deque[tuple[_Group | _Range, Future[list[Element | _Large]]] | tuple[_Poured, None]] = deque()
        planned, tasks = 0, _tasks(items, self._fetchers.range, self._pour_from)
        try:
            while True:
                while planned < self._fetchers.window and len(waiting) < _MOST_WAITING:
                    begun = next(tasks, None)
                    if begun is None:
                        break
                    planned += begun.size
                    if isinstance(begun, _Poured):
                        waiting.append((begun, None))
                    else:
                        waiting.append((begun, self._fetchers.pool.submit(self._fetch, begun)))
                if not waiting:
                    return
                task, future = waiting.popleft()
                if isinstance(task, _Poured):
                    yield task.found
                    yield Pour(partial(self._s3.pour, task.found))
                    continue
                assert future is not None
                if not future.done():
                    yield PAUSE
                elements = future.result()
                del future
                while elements:
                    element = elements.pop(0)
                    if isinstance(element, _Large):
                        yield from self.elements(iter((element.found,)))
                    else:
                        yield element
                planned -= task.size
        finally:
            for _, future in waiting:
                if future is not None:
                    future.cancel()

    def _fetch(self, task: _Group | _Range) -> list[Element | _Large]:
        elements: list[Element | _Large] = []
        if isinstance(task, _Range):
            if task.start == 0:
                elements.append(task.found)
            elements += self._s3.pieces(task.found, task.start, task.start + task.size)
            return elements
        pieces: list[bytes] = []  # of small objects that are ready to be sent
        for item in task.items:
            if isinstance(item, Value):
                elements += (item, item.data)
            elif isinstance(item, SourceObject):
                content = self._s3.read_range(item, 0, item.size)
                if self._framed is None:
                    elements += (item, content)
                else:
                    pieces += self._framed(content)
            else:
                elements += self._referenced(item)
        if pieces:
            elements.append(Ready(b"".join(pieces)))
        return elements

    def _referenced(self, item: Reference) -> list[Element | _Large]:
        elements: list[Element | _Large] = [item]
        size = 0
        try:
            with self._s3.read(item.uri) as pieces:
                for piece in pieces:
                    elements.append(piece)
                    size += len(piece)
                    if size > self._fetchers.range:
                        break
                else:
                    return elements
            info = self._s3.head(item.uri)
        except S3Failure as error:
            raise S3Failure(f"{error} ({item.named_by})") from error
        return [_Large(SourceObject(item.uri, info.size, info.etag))]


def _tasks(items: Iterator[Item], longest: int, pour_from: int) -> Iterator[_Task]:
    group: list[Item] = []
    size = 0
    for item in items:
        large = isinstance(item, SourceObject) and item.size > _GROUPED_UP_TO
        weight = _weight(item, longest)
        if group and (
            large or isinstance(item, Reference) or size + weight > _GROUP_BYTES or len(group) >= _MOST_GROUPED
        ):
            yield _Group(tuple(group), size)
            group, size = [], 0
        if large:
            assert isinstance(item, SourceObject)
            if item.size > pour_from:
                yield _Poured(item)
                continue
            for start in range(0, item.size, longest):
                yield _Range(item, start, min(longest, item.size - start))
        else:
            group.append(item)
            size += weight
    if group:
        yield _Group(tuple(group), size)


def _weight(item: Item, longest: int) -> int:
    """What an item counts for: its size, and something for the request; all there may be of a reference."""
    if isinstance(item, Value):
        return 64 + len(item.data)
    return longest if isinstance(item, Reference) else 1024 + item.size
