"""Answers the kernel's requests for the files of a channel until they are no longer mounted."""

import errno
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sagestone.channels.fuse import protocol
from sagestone.channels.fuse.files import Files, GivenUp, Refused
from sagestone.channels.fuse.protocol import CHANGING, SILENT, Code, Request
from sagestone.channels.fuse.reader import Budget, Fetch, ObjectReader
from sagestone.s3.client import S3Failure

THREADS = 16
FETCHERS = 8
_LOG = logging.getLogger(__name__)
_MESSAGE = 64 * 1024  # no request that we take is longer
_READ_ONLY = os.O_ACCMODE | os.O_TRUNC | os.O_APPEND

Buffers = Sequence[bytes | memoryview]


class FuseServer:
    """Serves files on an open `/dev/fuse`; `failed` is told of an object that cannot be read, its reader gets EIO.

    `at_hand`: bytes are fetched so fast that nothing is read ahead or kept here, and no file needs to be opened.
    """

    def __init__(
        self, device: int, files: Files, fetch: Fetch, failed: Callable[[S3Failure], None], *, at_hand: bool = False
    ) -> None:
        self._device, self._files, self._fetch, self._failed = device, files, fetch, failed
        self._at_hand = at_hand
        self._waiting: set[int] = set()  # requests that may take their time
        self._given_up: set[int] = set()
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
            if request.code == Code.INTERRUPT:
                self._interrupt(request)
                continue
            try:
                buffers = self._answer(request)
                self._reply(request, buffers)
            except Refused as refused:
                self._reply(request, (), refused.number)
            except S3Failure as failure:
                self._failed(failure)
                self._reply(request, (), errno.EIO)
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
        body, files = request.body, self._files
        match request.code:
            case Code.LOOKUP:
                with self._patience(request) as given_up:
                    is_final = files.is_final
                    node = files.child(request.node, protocol.name_of(body), given_up)
                    return [protocol.entry(None if node is None else files.attributes(node), is_final=is_final)]
            case Code.READ:
                return self._read(request)
            case Code.GETATTR:
                return [protocol.attributes_out(files.attributes(request.node))]
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
                with self._patience(request) as given_up:
                    return [self._list(request, given_up)]
            case Code.STATFS:
                return [protocol.statfs(files.files, files.size)]
            case Code.INIT:
                return [protocol.answer_init(body)]
            case Code.RELEASEDIR | Code.DESTROY:
                return ()
        raise Refused(errno.EROFS if request.code in CHANGING else errno.ENOSYS)

    def _open(self, request: Request) -> bytes:
        if protocol.open_flags(request.body) & _READ_ONLY:
            raise Refused(errno.EROFS)
        if self._at_hand:
            raise Refused(errno.ENOSYS)  # the kernel opens files itself from now on, and asks for bytes alone
        found = self._files.file(request.node)
        if found is None:
            raise Refused(errno.EISDIR)
        handle = next(self._numbers)
        self._handles[handle] = ObjectReader(found, self._fetch, self._pool, self._budget)
        return protocol.opened(handle)

    def _read(self, request: Request) -> Buffers:
        handle, offset, size = protocol.read_wanted(request.body)
        if not self._at_hand:
            return self._handles[handle].read(offset, size)
        found = self._files.file(request.node)
        if found is None:
            raise Refused(errno.EISDIR)
        return [self._fetch(found, offset, min(offset + size, found.size))] if offset < found.size else ()

    def _list(self, request: Request, given_up: GivenUp) -> bytes:
        _, offset, size = protocol.read_wanted(request.body)
        answer = bytearray()
        plus = request.code == Code.READDIRPLUS
        listed = self._files.entries(request.node, offset, given_up)
        for place, (name, node) in enumerate(listed, start=offset + 1):  # the kernel comes back for the rest
            entry = protocol.directory_entry(name, node, self._files.known(node), place, plus=plus)
            if len(answer) + len(entry) > size:
                break
            answer += entry
        return bytes(answer)

    @contextmanager
    def _patience(self, request: Request) -> Iterator[GivenUp]:
        self._waiting.add(request.unique)
        try:
            yield lambda: request.unique in self._given_up
        finally:
            self._waiting.discard(request.unique)
            self._given_up.discard(request.unique)

    def _interrupt(self, request: Request) -> None:
        """Somebody does not wait any more, for instance because he is to end."""
        unique = protocol.interrupted(request.body)
        if unique in self._waiting:
            self._given_up.add(unique)
        else:  # not begun yet, so it comes again; or answered already, and this says nothing
            self._reply(request, (), errno.EAGAIN)
