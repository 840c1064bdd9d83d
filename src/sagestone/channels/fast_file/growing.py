"""The files of a channel while it is still being listed: whoever asks for one waits for it alone, not for all.

The listing goes through the whole channel once, whatever is asked: it finds keys that can be no files, and deals out
shards. Where a host has everything below a prefix, a name that the listing has not come to is asked for itself, and a
directory by a listing of its own names. Elsewhere whoever asks waits until the listing has passed.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from sagestone.channels.fast_file.asking import Asking, Named
from sagestone.channels.fast_file.listing import FastFileListing
from sagestone.channels.fuse.files import GivenUp, Refused
from sagestone.channels.fuse.protocol import Attributes
from sagestone.channels.fuse.tree import Clash, Directory, ObjectTree, Promised
from sagestone.channels.paths import clash, is_part
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.s3.client import S3Failure, SourceObject
from sagestone.s3.uri import S3Uri

_TELL_EVERY = 128
_LOOK_SECONDS = 0.02
_STANDS_SECONDS = 0.25
_MOST_ENTRIES = 1024


class GrowingFiles:
    """What a FUSE server shows (`channels.fuse.server`), of a channel that one thread lists with `grow`."""

    def __init__(self, channel: Channel, listing: FastFileListing, tree: ObjectTree, asking: Asking) -> None:
        self._channel, self._listing, self._tree, self._asking = channel, listing, tree, asking
        self._changed = threading.Condition()
        self._levels: dict[int, _Level] = {}
        self._has_all_names = False
        self.is_whole = False
        self.failure: JobFailure | None = None

    def promise(self, files: Iterable[tuple[str, S3Uri]]) -> None:
        """Show all names from the start, if there are any: those of a manifest, before its objects are looked at.

        Raises JobFailure.
        """
        for path, uri in files:
            self._add(path, Promised(uri))
            self._has_all_names = True

    def grow(self, keep: Callable[[SourceObject], None] = lambda _: None) -> None:
        """List the channel to its end, with a call for each object; what goes wrong is in `failure` then."""
        try:
            for number, (path, found) in enumerate(self._listing.files()):
                self._add(path, found)
                keep(found)
                if number % _TELL_EVERY == 0:
                    self._tell()
            self.is_whole = True
        except JobFailure as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001  nobody else would say it, and programs would wait for ever
            text = f"channel {self._channel.name}: it cannot be listed: {type(error).__name__}: {error}"
            self.failure = JobFailure("internal", text)
        self._tell()

    def await_first(self, count: int) -> None:
        """Wait until so many objects are there, or all; raises the JobFailure of one that cannot be."""
        with self._changed:
            while self._listing.listed < count and not self.is_whole and self.failure is None:
                self._changed.wait(_LOOK_SECONDS)
        if self.failure is not None:
            raise self.failure

    def await_all(self) -> None:
        """Wait until everything is listed, or nothing more will be."""
        with self._changed:
            while not self.is_whole and self.failure is None:
                self._changed.wait()

    @property
    def files(self) -> int:
        return self._tree.files

    @property
    def size(self) -> int:
        return self._tree.size

    def child(self, node: int, name: bytes, given_up: GivenUp) -> int | None:
        """The node of that name in a directory; raises S3Failure, and Refused where it is not waited for."""
        directory = self._tree.node(node)
        if not isinstance(directory, Directory):
            return None
        try:
            path = directory.path + name.decode()
        except UnicodeDecodeError:  # no key
            return None
        while True:
            is_final = self.is_final or self._is_past(f"{path}/")  # said before it is looked at
            found = self._tree.child(node, name)
            if found is not None or is_final:
                return found
            if self._asking.may_ask and self.failure is None:
                return self._ask(node, name, path)
            self._wait(given_up)

    @property
    def is_final(self) -> bool:
        """Whether no name will come any more."""
        return self.is_whole or self._has_all_names

    def entries(self, node: int, offset: int, given_up: GivenUp) -> list[tuple[bytes, int]]:
        """Names and nodes of a directory from a place on: some at least, or all of it was given. Raises as `child`."""
        directory = self._tree.node(node)
        if not isinstance(directory, Directory):
            return []
        came_to = (self._listing.listed, time.monotonic())
        while True:
            is_all = self.is_final or directory.whole or self._is_past(directory.path)
            found = self._tree.entries(directory, offset, _MOST_ENTRIES)
            if found or is_all:
                return found
            if self._asking.may_ask and self.failure is None and not self._is_fed(directory, came_to):
                self._list_level(directory, offset)
            else:
                self._wait(given_up)

    def attributes(self, node: int) -> Attributes:
        """What `stat` shows; raises S3Failure, IndexError for a node that is none."""
        found = self._tree.attributes(node)
        if found is None:
            self.file(node)
            found = self._tree.attributes(node)
            assert found is not None
        return found

    def known(self, node: int) -> Attributes | None:
        """As `attributes`, without asking anybody."""
        return self._tree.attributes(node)

    def file(self, node: int) -> SourceObject | None:
        """The object of a node; None for a directory. Raises S3Failure."""
        found = self._tree.node(node)
        if isinstance(found, Promised):
            found = self._asking.look_up(found.uri)
            self._tree.fill(node, found)
        return found if isinstance(found, SourceObject) else None

    def _ask(self, node: int, name: bytes, path: str) -> int | None:
        found = self._asking.find(path) if is_part(name.decode()) else None
        if found is None:
            return None
        return self._tree.add_early(node, name, found if isinstance(found, SourceObject) else None)

    def _list_level(self, directory: Directory, offset: int) -> None:
        """Have more names of a directory, from a listing of its own."""
        level = self._levels.setdefault(directory.node, _Level(self._asking.names(directory.path)))
        with level.lock:
            if self._tree.entries(directory, offset, 1) or directory.whole:  # another thread has asked
                return
            try:
                for name, found in next(level.pages):
                    self._tree.add_ahead(directory.node, name, found)
            except StopIteration:
                directory.whole = True
            except S3Failure:
                self._levels.pop(directory.node, None)
                raise

    def _is_fed(self, directory: Directory, came_to: tuple[int, float]) -> bool:
        """Whether the listing of the channel is just bringing names of that directory, and has not stood still."""
        listed, at = came_to
        stands = self._listing.listed == listed and time.monotonic() - at > _STANDS_SECONDS
        return self._tree.last is directory and not stands

    def _is_past(self, directory: str) -> bool:
        return self._listing.is_in_order and self._asking.is_past(self._listing.last, directory)

    def _wait(self, given_up: GivenUp) -> None:
        with self._changed:
            if self.failure is not None:
                raise Refused(errno.EIO)
            if not self.is_whole:
                self._changed.wait(_LOOK_SECONDS)
        if given_up():
            raise Refused(errno.EINTR)

    def _add(self, path: str, found: SourceObject | Promised) -> None:
        try:
            self._tree.add(path, found)
        except Clash as error:
            raise clash(self._channel, found.uri, path) from error

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _Level:
    """The listing of one directory, as far as it has come."""

    def __init__(self, pages: Iterator[list[Named]]) -> None:
        self.pages, self.lock = pages, threading.Lock()
