"""Reading an instance's events as they are appended, without reading anything twice."""

import logging
from pathlib import Path

import msgspec

from sagestone.domain.event import InstanceEvent

_LOG = logging.getLogger(__name__)


class EventTail:
    """The events of one `events.jsonl`. A last line that is still being written is left for the next time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._events: list[InstanceEvent] = []  # read, and not known to have been counted
        self._forgotten = 0  # the seq up to which they were
        self.ended = False  # whether an outcome was read

    def after(self, seq: int) -> list[InstanceEvent]:
        """Events with a higher seq, in order. Those up to `seq` are forgotten; who asks for them has all read again."""
        if seq < self._forgotten:
            self._offset, self._events = 0, []
        self._forgotten = seq
        self._read_more()
        self._events = [event for event in self._events if event.seq > seq]
        return list(self._events)

    @property
    def waiting(self) -> int:
        """Events that were read and are not known to have been counted."""
        return len(self._events)

    def unread_bytes(self) -> int:
        """What was appended since the last look."""
        try:
            return max(0, self._path.stat().st_size - self._offset)
        except FileNotFoundError:
            return 0

    def has_ended(self) -> bool:
        """Whether the instance has told its outcome."""
        self._read_more()
        return self.ended

    def _read_more(self) -> None:
        try:
            if self._path.stat().st_size <= self._offset:
                return
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                event = msgspec.json.decode(line, type=InstanceEvent)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                _LOG.warning("%s: a line is no event and is passed over (%s): %.200r", self._path, error, line)
                continue
            self._events.append(event)
            self.ended = self.ended or event.outcome is not None
