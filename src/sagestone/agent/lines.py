"""Turns the bytes that a container writes into the lines of a log."""

import re
from collections.abc import Iterator
from typing import Final

LONGEST_LINE: Final = 64 * 1024

_CONTROL = {code: f"#{code:03o}" for code in (*range(32), 127)}
_NOT_PLAIN = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")
_IN_BYTES = [(bytes((code,)), text.encode()) for code, text in _CONTROL.items() if code != ord("\n")]


class LineSplitter:
    """Cuts one stream of bytes into lines as they become whole.

    A line of more than 64 KiB goes on as the next one (cut between characters), so nothing is lost and memory stays
    bounded. `pending` counts the bytes of the line that is still open.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._open = bytearray()

    @property
    def pending(self) -> int:
        return len(self._open)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that `data` completes, without their LF (nor a CR before it)."""
        self._open += data
        start = 0
        while True:
            newline = self._open.find(b"\n", start, start + self._longest + 1)
            if newline >= 0:
                yield _without_return(bytes(self._open[start:newline]))
                start = newline + 1
            elif len(self._open) - start > self._longest:
                end = _between_characters(self._open, start, start + self._longest)
                yield bytes(self._open[start:end])
                start = end
            else:
                break
        del self._open[:start]

    def feed_shown(self, data: bytes) -> bytes:
        """All lines at once that `data` completes, as the log shows them (`shown`), each with its LF.

        Nothing where one of them is too long, or none is whole: then nothing was taken, and `feed` does it one by one.
        """
        last = data.rfind(b"\n") + 1
        if not last or len(data) - last > self._longest:
            return b""
        block = bytes(self._open) + data[:last]
        if _has_longer(block, self._longest):
            return b""
        self._open[:] = data[last:]
        return _shown_lines(block)

    def finish(self) -> Iterator[bytes]:
        """The last line, where the stream did not end with LF."""
        if self._open:
            yield _without_return(bytes(self._open))
            self._open.clear()


def shown(line: bytes) -> str:
    """A line as the log shows it: UTF-8 (what is not becomes U+FFFD), control characters as `#` and three octal digits.

    The service's log pipeline does the same: TAB is `#011`, ESC `#033`; metric expressions see the line in this form.
    """
    text = line.decode(errors="replace")
    return text if text.isprintable() else text.translate(_CONTROL)


def _shown_lines(block: bytes) -> bytes:
    """What `shown` makes of each line, of all of them at once."""
    block = block.replace(b"\r\n", b"\n")
    if not block.isascii():
        block = block.decode(errors="replace").encode()
    if _NOT_PLAIN.search(block):
        for control, text in _IN_BYTES:
            block = block.replace(control, text)
    return block


def _has_longer(block: bytes, longest: int) -> bool:
    """Whether a line has more than `longest` bytes; looks at one line in so many bytes."""
    start = 0
    while len(block) - start > longest:
        start = block.rfind(b"\n", start, start + longest + 1) + 1
        if not start:
            return True
    return False


def _without_return(line: bytes) -> bytes:
    return line[:-1] if line.endswith(b"\r") else line


def _between_characters(data: bytearray, start: int, end: int) -> int:
    """The last place at or before `end` that is not inside a UTF-8 character, but always beyond `start`."""
    for place in range(end, max(start, end - 4), -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return end
