"""What a sandbox's program writes, carried by its shim into files that are bounded together. Imports little.

Each stream is a row of files, `stdout.<offset>`: the number of the byte that the file begins with. When a stream has
more than its share of `kept` the oldest file goes, read or not: a program that prints without end does not fill the
disk. Beyond a first amount the pipes are emptied at a steady pace, so a flood waits in its own program and costs the
neighbours little; what comes in very many small pieces gathers in the pipe for some milliseconds.
"""

import fcntl
import os
import select
import time

STREAMS = ("stdout", "stderr")
_FILES = 8  # that a stream is kept in, and one that is being written
_CHUNK = 1 << 18
_FIRST_BYTES = 256 << 20  # as fast as they come
_BYTES_A_SECOND = 32 << 20  # what comes after
_PAUSE_SECONDS = 0.05
_MANY_READS = 20  # within _PAUSE_SECONDS: before each further one something may gather
_GATHER_SECONDS = 0.005
_PIPE_BYTES = 1 << 18  # a plain user has a sum for all pipes
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ


class Output:
    """The reading ends of a program's two pipes, and where they lead: files below the current directory."""

    def __init__(self, pipes: "tuple[int, int]", kept: int) -> None:
        self._streams = {pipe: _Row(name, kept // len(STREAMS)) for pipe, name in zip(pipes, STREAMS, strict=True)}
        self._budget = float(_FIRST_BYTES)
        self._counted = self._reads_since = time.monotonic()
        self._reads = 0
        self._paused = False
        for pipe in pipes:
            try:
                fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
            except OSError:
                pass  # it stays smaller: only slower

    def register(self, poll: "select.poll") -> None:
        """Have the poll tell when something was written."""
        for pipe in self._streams:
            poll.register(pipe, select.POLLIN)

    def __contains__(self, pipe: int) -> bool:
        return pipe in self._streams

    @property
    def open(self) -> bool:
        """Whether somebody may still write."""
        return bool(self._streams)

    def pace(self, poll: "select.poll", *, running: bool) -> "float | None":
        """Take the pipes out of the poll where too much has come, and back again; milliseconds to look again in."""
        now = time.monotonic()
        self._budget = min(self._budget + (now - self._counted) * _BYTES_A_SECOND, _FIRST_BYTES)
        self._counted = now
        if now - self._reads_since >= _PAUSE_SECONDS:
            self._reads, self._reads_since = 0, now
        gathers = self._reads > _MANY_READS and not self._paused
        pausing = running and (self._budget <= 0 or gathers)  # after the end there is only what the pipes hold
        if pausing != self._paused:
            for pipe in self._streams:
                poll.modify(pipe, 0 if pausing else select.POLLIN)
            self._paused = pausing
        if not pausing:
            return None
        return (_PAUSE_SECONDS if self._budget <= 0 else _GATHER_SECONDS) * 1000

    def carry(self, pipe: int, poll: "select.poll") -> None:
        """Write on what has come."""
        if self._paused:
            return  # told because the other end was closed
        data = os.read(pipe, _CHUNK)
        if data:
            self._budget -= len(data)
            self._reads += 1
            self._streams[pipe].write(data)
            return
        poll.unregister(pipe)
        self._streams.pop(pipe).close()
        os.close(pipe)


class _Row:
    """The files of one stream."""

    def __init__(self, name: str, kept: int) -> None:
        self._name, self._most = name, max(kept // _FILES, 1)
        self._starts = [0]
        self._size = 0
        self._file = self._create(0)

    def write(self, data: bytes) -> None:
        """Add it; where the disk is full the rest is lost: the program must not hang for its log's sake."""
        view = memoryview(data)
        try:
            while view:
                written = os.write(self._file, view)
                view = view[written:]
                self._size += written
            if self._size >= self._most:
                self._next()
        except OSError:
            return

    def close(self) -> None:
        os.close(self._file)

    def _next(self) -> None:
        start = self._starts[-1] + self._size
        file = self._create(start)
        os.close(self._file)
        self._file, self._size = file, 0
        self._starts.append(start)
        while len(self._starts) > _FILES + 1:
            os.unlink(f"{self._name}.{self._starts.pop(0)}")  # noqa: PTH108  pathlib costs each start

    def _create(self, start: int) -> int:
        return os.open(f"{self._name}.{start}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
