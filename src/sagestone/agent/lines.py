"""Turns the bytes that a container writes into the lines of a log."""

import re
from collections.abc import Iterator
from typing import Final

LONGEST_LINE: Final = 64 * 1024

_NOT_PLAIN = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")
_CONTROL = {code: f"#{code:03o}" for code in (*range(32), 127)}


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

    def feed_plain(self, data: bytes) -> bytes:
        """All lines at once that `data` completes, each with its LF, where they are shown just as they are.

        Nothing where one of them is not: then nothing was taken, and `feed` does it line by line.
        """
        last = data.rfind(b"\n") + 1
        block = bytes(self._open) + data[:last]
        if not last or len(data) - last > self._longest:
            return b""
        if _NOT_PLAIN.search(block) or max(map(len, block.split(b"\n"))) > self._longest:
            return b""
        try:
            block.decode()
        except UnicodeDecodeError:
            return b""
        self._open[:] = data[last:]
        return block

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


def _without_return(line: bytes) -> bytes:
    return line[:-1] if line.endswith(b"\r") else line


def _between_characters(data: bytearray, start: int, end: int) -> int:
    """The last place at or before `end` that is not inside a UTF-8 character, but always beyond `start`."""
    for place in range(end, max(start, end - 4), -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return end
