"""Answers the kernel's requests for the files of a channel until they are no longer mounted."""

import errno
import itertools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sagestone.channels.fuse import protocol
from sagestone.channels.fuse.protocol import CHANGING, SILENT, Code, Request
from sagestone.channels.fuse.reader import Budget, Fetch, ObjectReader
from sagestone.channels.fuse.tree import ObjectTree
from sagestone.s3.client import S3Failure

THREADS = 16
FETCHERS = 8
_LOG = logging.getLogger(__name__)
_MESSAGE = 64 * 1024  # no request that we take is longer
_READ_ONLY = os.O_ACCMODE | os.O_TRUNC | os.O_APPEND

Buffers = Sequence[bytes | memoryview]


class Refused(Exception):
    """A request is answered with this errno."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class FuseServer:
    """Serves a tree on an open `/dev/fuse`; `failed` is told of an object that cannot be read, its reader gets EIO."""

    def __init__(self, device: int, tree: ObjectTree, fetch: Fetch, failed: Callable[[S3Failure], None]) -> None:
        self._device, self._tree, self._fetch, self._failed = device, tree, fetch, failed
        self._pool = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
        self._budget = Budget()
        self._handles: dict[int, ObjectReader] = {}
        self._numbers = itertools.count(1)

    def run(self) -> None:
        """Answer on several threads; returns when the file system is unmounted."""
        threads = [threading.Thread(target=self._serve, name=f"fuse-{n}", daemon=True) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                message = os.read(self._device, _MESSAGE)
            except OSError as error:
                if error.errno in (errno.ENODEV, errno.EBADF):
                    return
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # the request was taken back
                    continue
                raise
            request = protocol.read_request(message)
            if request.code in SILENT:
                continue
            try:
                buffers = self._answer(request)
                self._reply(request, buffers)
            except Refused as refused:
                self._reply(request, (), refused.number)
            except Exception:  # noqa: BLE001  our own bug must not leave a program waiting for ever
                _LOG.exception("a request with the code %d failed", request.code)
                self._reply(request, (), errno.EIO)

    def _reply(self, request: Request, buffers: Buffers, error: int = 0) -> None:
        header = protocol.answer_header(request.unique, sum(len(each) for each in buffers), error)
        try:
            os.writev(self._device, [header, *buffers])
        except OSError as gone:
            if gone.errno not in (errno.ENOENT, errno.ENODEV):  # taken back, or unmounted
                raise

    def _answer(self, request: Request) -> Buffers:
        body, tree = request.body, self._tree
        match request.code:
            case Code.LOOKUP:
                node = tree.child(request.node, protocol.name_of(body))
                return [protocol.entry(None if node is None else tree.attributes(node))]
            case Code.READ:
                return self._read(body)
            case Code.GETATTR:
                return [protocol.attributes_out(tree.attributes(request.node))]
            case Code.OPEN:
                return [self._open(request)]
            case Code.RELEASE:
                reader = self._handles.pop(protocol.handle_of(body), None)
                if reader is not None:
                    reader.close()
                return ()
            case Code.OPENDIR:
                return [protocol.opened(0, directory=True)]
            case Code.READDIR | Code.READDIRPLUS:
                return [self._list(request)]
            case Code.STATFS:
                return [protocol.statfs(tree.files, tree.size)]
            case Code.INIT:
                return [protocol.answer_init(body)]
            case Code.RELEASEDIR | Code.DESTROY:
                return ()
        raise Refused(errno.EROFS if request.code in CHANGING else errno.ENOSYS)

    def _open(self, request: Request) -> bytes:
        if protocol.open_flags(request.body) & _READ_ONLY:
            raise Refused(errno.EROFS)
        found = self._tree.file(request.node)
        if found is None:
            raise Refused(errno.EISDIR)
        handle = next(self._numbers)
        self._handles[handle] = ObjectReader(found, self._fetch, self._pool, self._budget)
        return protocol.opened(handle)

    def _read(self, body: memoryview) -> Buffers:
        handle, offset, size = protocol.read_wanted(body)
        try:
            return self._handles[handle].read(offset, size)
        except S3Failure as failure:
            self._failed(failure)
            raise Refused(errno.EIO) from failure

    def _list(self, request: Request) -> bytes:
        _, offset, size = protocol.read_wanted(request.body)
        answer = bytearray()
        plus = request.code == Code.READDIRPLUS
        listing = self._tree.listing(request.node)
        for place in range(offset, len(listing)):  # the kernel comes back for every few dozen entries
            name, node = listing[place]
            entry = protocol.directory_entry(name, self._tree.attributes(node), place + 1, plus=plus)
            if len(answer) + len(entry) > size:
                break
            answer += entry
        return bytes(answer)
