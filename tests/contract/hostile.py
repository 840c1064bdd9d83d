"""The hostile program as tests use it: compiled once, run once in a container, and what it reports."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("hostile.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the program said: tries that succeeded, tries that were refused (with the error), and facts by name."""

    done: frozenset[str]
    refused: Mapping[str, str]
    facts: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "Report":
        """Read the output, which must be whole."""
        done, refused, facts = set(), {}, {}
        for line in text.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "DONE":
                done.add(rest.strip())
            elif kind == "refused":
                name, _, why = rest.rpartition(": ")
                refused[name.strip()] = why
            elif kind == "fact":
                name, _, value = rest.partition(" ")
                facts[name] = value
            else:
                raise AssertionError(f"the hostile program said {line!r}")
        assert facts.pop("end", None) == "1", f"the hostile program did not come to its end:\n{text[-2000:]}"
        return cls(done=frozenset(done), refused=refused, facts=facts)


def hostile_program(directory: Path) -> bytes:
    """The program, static."""
    program = directory / "hostile"
    subprocess.run(["gcc", "-O1", "-static", "-o", program, _SOURCE], check=True)
    return program.read_bytes()
