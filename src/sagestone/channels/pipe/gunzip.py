"""Undoes the gzip of a channel's objects, on a thread of its own, a little ahead of the reader."""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from sagestone.archive.gunzip import BadGzip, gunzip
from sagestone.channels.elements import PAUSE, Element, Elements, Item, Pause, Span, Value, name_of
from sagestone.domain.failure import JobFailure

_BLOCK = 256 * 1024
_LOOK_SECONDS = 0.5  # whether the reader is gone


def gunzipped(elements: Elements, channel: str, most: int) -> Elements:
    """The elements with every object's gzip undone, in pieces of at most `most` bytes; values stay as they are.

    Raises JobFailure (client) for an object that is no gzip file.
    """
    item: Item | None = None
    element = next(elements, None)
    while element is not None:
        if isinstance(element, Item):
            item = element
        if isinstance(element, Item | Pause) or isinstance(item, Value):
            yield element
            element = next(elements, None)
            continue
        after: list[Item] = []
        try:
            yield from gunzip(_bytes_of(element, elements, after), most)
        except BadGzip as error:
            raise JobFailure(
                "client",
                f"Data download failed:Channel {channel} has CompressionType Gzip, "
                f"but {name_of(item)} is not a whole gzip file: {error}",
            ) from error
        element = after[0] if after else None


def _bytes_of(first: Element, elements: Elements, after: list[Item]) -> Iterator[bytes]:
    """The bytes of one object, of which `first` is the first; the next item is left in `after`."""
    element: Element | None = first
    while element is not None:
        if isinstance(element, Item):
            after.append(element)
            return
        if isinstance(element, bytes):
            yield element
        elif isinstance(element, Span):
            for start in range(element.start, element.stop, _BLOCK):
                yield os.pread(element.file, min(_BLOCK, element.stop - start), start)
        element = next(elements, None)


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _End:
    pass


def ahead(make: Callable[[], Iterable[Element]], most: int) -> Elements:
    """The same elements, made on another thread, so many ahead; what is raised there is raised here in its place."""
    made: queue.Queue[Element | _Failed | _End] = queue.Queue(most)
    given_up = threading.Event()

    def give(element: Element | _Failed | _End) -> bool:
        while not given_up.is_set():
            try:
                made.put(element, timeout=_LOOK_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for element in make():
                if element is not PAUSE and not give(element):
                    return
        except BaseException as error:  # noqa: BLE001 raised where the elements are used
            give(_Failed(error))
        else:
            give(_End())

    threading.Thread(target=work, name="gunzip", daemon=True).start()
    try:
        while True:
            if made.empty():
                yield PAUSE
            element = made.get()
            if isinstance(element, _End):
                return
            if isinstance(element, _Failed):
                raise element.error
            yield element
    finally:
        given_up.set()
