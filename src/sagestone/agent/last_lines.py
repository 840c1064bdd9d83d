"""What a container wrote last: for a failure's reason, and for what it says that it printed."""

from collections import deque

from sagestone.agent.lines import shown
from sagestone.containers.runtime import Stream

MOST_LINES = 40

_TOGETHER_SECONDS = 1.0  # lines of stdout and stderr that came within this time may have been written in either order
_TAIL_BYTES = 64 * 1024  # of what is passed over
_LOOKED_AT = 1000  # of many lines, of which some may be blank


class LastLines:
    """The last lines of both streams that are not blank, each with the time when it came."""

    def __init__(self) -> None:
        self._lines: dict[Stream, deque[tuple[float, str]]] = {
            "stdout": deque(maxlen=MOST_LINES),
            "stderr": deque(maxlen=MOST_LINES),
        }
        self._tails: dict[Stream, bytes] = {}

    def add(self, stream: Stream, text: str, at: float) -> None:
        """One more line."""
        if text.strip():
            self._lines[stream].append((at, text))

    def add_many(self, stream: Stream, lines: bytes, at: float) -> None:
        """Many more, each with its LF; only the last of them are looked at."""
        found: list[str] = []
        end = len(lines) - 1
        for _ in range(_LOOKED_AT):
            if end < 0 or len(found) == MOST_LINES:
                break
            start = lines.rfind(b"\n", 0, end) + 1
            found.append(lines[start:end].decode(errors="replace"))
            if not found[-1].strip():
                found.pop()
            end = start - 1
        for text in reversed(found):
            self.add(stream, text, at)

    def pass_over(self, stream: Stream, data: bytes) -> None:
        """What was written further and is not looked at, but for its end."""
        self._tails[stream] = (self._tails.get(stream, b"") + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]

    def has_passed_over(self, stream: Stream) -> bool:
        """Whether the last lines of the stream are among what was passed over."""
        return stream in self._tails

    def told(self, now: float) -> list[str]:
        """Oldest first; what stderr said at the very end stands last.

        The two come by different ways, so which of two lines was written first cannot be told when they are that near.
        Of what was passed over, the first line is only a part where it is long.
        """
        for stream, tail in self._tails.items():
            for line in tail.splitlines()[-MOST_LINES:]:
                self.add(stream, shown(line).strip(), now)
        self._tails.clear()
        lines = [(at, stream, text) for stream in self._lines for at, text in self._lines[stream]]
        lines.sort(key=lambda line: line[0])
        together = lines[-1][0] - _TOGETHER_SECONDS if lines else 0.0
        lines.sort(key=lambda line: line[0] >= together and line[1] == "stderr")
        return [text for _, _, text in lines[-MOST_LINES:]]
