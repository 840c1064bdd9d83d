"""Looks at framed records while their bytes pass by: for objects that are sent as a stream."""

from collections.abc import Iterable, Iterator

from sagestone.inference.framed import RecordDamaged
from sagestone.inference.framing import Damaged, Frame, Framing


def checked_frames(pieces: Iterable[bytes], framing: Framing) -> Iterator[bytes]:
    """The pieces as they are; raises RecordDamaged after the one in which damage shows. Nothing is held."""
    check = _FrameCheck(framing)
    for piece in pieces:
        check.feed(piece)
        yield piece
    check.end()


class _FrameCheck:
    """Where the next byte stands: in a head, among the bytes of a record, or in the tail of a frame."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._held = b""  # of a head or a tail that has not come as a whole
        self._frame: Frame | None = None  # None: a head is expected
        self._left = self._sum = 0  # bytes of the record still to come, and the checksum of those that came
        self._inside = False
        self._number = self._start = self._at = 0

    def feed(self, data: bytes) -> None:
        """The next bytes; raises RecordDamaged."""
        at = 0
        try:
            while at < len(data):
                at += self._part(data, at)
        except Damaged as error:
            raise RecordDamaged(str(error), record=self._number, offset=self._start) from error
        self._at += len(data)

    def end(self) -> None:
        """There are no more; raises RecordDamaged where some are missing."""
        if self._inside or self._held or self._frame is not None:
            raise RecordDamaged("the object ends before the end of it", record=self._number, offset=self._start)

    def _part(self, data: bytes, at: int) -> int:
        """Take what belongs together, and say how many bytes that was."""
        frame = self._frame
        if frame is None:
            if not self._held and not self._inside:
                self._number, self._start = self._number + 1, self._at + at
            return self._head(data, at)
        if self._left:
            part = data[at : at + self._left]
            self._sum = self._framing.sum(part, self._sum)
            self._left -= len(part)
            if not self._left and not frame.tail:
                self._next(frame)
            return len(part)
        part = data[at : at + frame.tail - len(self._held)]
        self._held += part
        if len(self._held) == frame.tail:
            self._framing.check(self._held, self._sum)
            self._next(frame)
        return len(part)

    def _head(self, data: bytes, at: int) -> int:
        part = data[at : at + self._framing.head - len(self._held)]
        self._held += part
        if len(self._held) == self._framing.head:
            frame = self._framing.open(self._held, inside=self._inside)
            self._frame, self._left, self._sum, self._held = frame, frame.size, 0, b""
            if not frame.size and not frame.tail:
                self._next(frame)
        return len(part)

    def _next(self, frame: Frame) -> None:
        self._frame, self._held, self._inside = None, b"", frame.more
