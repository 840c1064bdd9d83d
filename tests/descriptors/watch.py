"""Runs programs of ours with `quarantine.c` in them: who still uses a descriptor that another has closed is found."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("quarantine.c")
_TESTS = f"{Path(__file__).parents[1]}/"
_FRAME = re.compile(r'  File "(.*)", line')


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What was done to a closed descriptor: `what` with its thread and test, `stack` innermost first."""

    what: str
    stack: tuple[str, ...]

    @property
    def is_of_a_test(self) -> bool:
        """Whether a test looked itself, as one does that asks whether something was closed."""
        first = _FRAME.match(self.stack[0]) if self.stack else None
        return first is not None and first[1].startswith(_TESTS)

    def __str__(self) -> str:
        return "\n".join((self.what, *self.stack[:12]))


class Quarantine:
    """The library, and the directory where it leaves what it finds."""

    def __init__(self, directory: Path) -> None:
        self._library, self._found = directory / "quarantine.so", directory / "found"
        self._found.mkdir()
        subprocess.run(["gcc", "-O1", "-fPIC", "-shared", "-o", self._library, _SOURCE, "-ldl"], check=True)

    def environment(self) -> Mapping[str, str]:
        """For a program whose processes, and theirs, are to be watched."""
        return {**os.environ, "LD_PRELOAD": str(self._library), "QUARANTINE": str(self._found)}

    def uses(self) -> list[Use]:
        """What was found so far, but for what tests do themselves."""
        reports = [report for file in sorted(self._found.iterdir()) for report in file.read_text().split("== ")[1:]]
        found = []
        for report in reports:
            what, *lines = report.splitlines()
            found.append(Use(what=what, stack=tuple(line for line in lines if _FRAME.match(line))))
        return [use for use in found if not use.is_of_a_test]
