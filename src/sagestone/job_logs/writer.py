"""Writes one log stream: whole lines, in order of time, at the end of its file."""

import os
import threading
from functools import partial
from pathlib import Path

from sagestone.archive.room import when_there_is_room
from sagestone.job_logs.names import stream_file

_FLUSH_BYTES = 64 * 1024


class LogWriter:
    """An open stream.

    1. `write` keeps lines in memory until `flush`, or until 64 KiB are waiting; a reader never sees half a line.
    2. On a full disk they wait for room, a minute at most.
    3. Timestamps never go back, whatever the clock does, also across a restart of the writer.
    4. A line cut off by the death of an earlier writer is removed when the stream is opened.
    5. What comes after `close` is dropped: a thread that nobody waits for may have something to say still.
    All calls may come from any thread. Messages must hold no control characters (`agent.console` escapes them).
    """

    def __init__(self, logs: Path, group: str, stream: str) -> None:
        self.logs, self.group, self.stream = logs, group, stream
        self.path = stream_file(logs, group, stream)
        self._file = _open(self.path)
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._size, self._last_ms = self._cut_to_whole_lines(os.fstat(self._file).st_size)

    @property
    def size(self) -> int:
        """Bytes of the stream, those still waiting included."""
        with self._lock:
            return self._size + self._waiting_bytes

    def write(self, at: float, message: str) -> None:
        """Add an event of that time (epoch seconds)."""
        with self._lock:
            self._last_ms = max(self._last_ms, int(at * 1000))
            line = b"%d\t%b\n" % (self._last_ms, message.encode(errors="replace"))
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            if self._waiting_bytes >= _FLUSH_BYTES:
                self._flush()

    def write_lines(self, at: float, lines: bytes) -> None:
        """Add an event of that time for each line; `lines` is UTF-8 and ends in LF. Much quicker than one by one."""
        with self._lock:
            self._last_ms = max(self._last_ms, int(at * 1000))
            begin = b"%d\t" % self._last_ms
            events = begin + lines[:-1].replace(b"\n", b"\n" + begin) + b"\n"
            self._waiting.append(events)
            self._waiting_bytes += len(events)
            if self._waiting_bytes >= _FLUSH_BYTES:
                self._flush()

    def flush(self) -> None:
        """Show everything written so far to readers."""
        with self._lock:
            self._flush()

    def cut(self, size: int) -> None:
        """Forget everything after that many bytes: what follows will be written again."""
        with self._lock:
            self._flush()
            if size < self._size and self._file >= 0:
                os.ftruncate(self._file, size)
                self._size, self._last_ms = self._cut_to_whole_lines(size)

    def close(self) -> None:
        """Flush, sync and close; idempotent."""
        with self._lock:
            if self._file >= 0:
                self._flush()
                os.fsync(self._file)
                os.close(self._file)
                self._file = -1

    def _flush(self) -> None:
        data = memoryview(b"".join(self._waiting) if self._file >= 0 else b"")
        self._waiting, self._waiting_bytes = [], 0
        while data:
            written = when_there_is_room(partial(os.write, self._file, data))
            self._size += written
            data = data[written:]

    def _cut_to_whole_lines(self, size: int) -> tuple[int, int]:
        """Remove a last line without its LF; the size then, and the time of the last line."""
        end, line = size, b""
        while end > 0:
            start = max(0, end - _FLUSH_BYTES)
            line = os.pread(self._file, end - start, start) + line
            whole = line.rfind(b"\n")
            if whole >= 0 and start + whole + 1 < size:  # a part of a line hangs over
                size = start + whole + 1
                os.ftruncate(self._file, size)
                end, line = size, b""
                continue
            before = line.rfind(b"\n", 0, len(line) - 1)
            end = start
            if whole >= 0 and (before >= 0 or start == 0):
                head = line[before + 1 :].partition(b"\t")[0]
                return size, int(head) if head.isdigit() else 0
        if size:
            os.ftruncate(self._file, 0)
        return 0, 0


def _open(path: Path) -> int:
    """The file, made where it is missing; an empty directory may be cleaned away between making and using it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            continue
