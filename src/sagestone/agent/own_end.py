"""How an instance is to end whose container its agent stops: noted before, for an agent that dies over it.

The next one finds a container that has ended, and nothing at it says that it did not do so by itself.
"""

import sys
from pathlib import Path

import msgspec

from sagestone.domain.event import Outcome
from sagestone.durable import whole_file


class OwnEnd:
    """One note of one instance; the first stays."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def noted(self) -> Outcome | None:
        """What the container was stopped for, by an earlier agent too; None: for nothing."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Outcome)
        except FileNotFoundError:
            return None

    def note(self, outcome: Outcome) -> None:
        """The container is stopped next. On a full disk it is so without a note: what fills it may be the container."""
        try:
            with whole_file(self._file) as file:
                file.write(msgspec.json.encode(outcome))
        except OSError as error:
            sys.stderr.write(f"why the container is stopped could not be noted: {error}\n")
