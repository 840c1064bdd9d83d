"""Kills at side effects, by `effects.c` in every process of ours: the plans it takes, and the last words it leaves."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.crash.plan import AtEffect, What

_SOURCE = Path(__file__).with_name("effects.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """Who died at its effect."""

    pid: int
    command: tuple[str, ...]


class Effects:
    """The library, and the directory of plans that it looks at."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.plans = directory
        (directory / "clock").write_bytes(bytes(8))
        self._library = directory / "effects.so"
        build = ["gcc", "-O1", "-fPIC", "-shared", "-o", str(self._library), str(_SOURCE), "-ldl"]
        subprocess.run(build, check=True)

    def environment(self, role: What) -> Mapping[str, str]:
        """For a service that plays that role; its agents are agents."""
        return {"LD_PRELOAD": str(self._library), "CRASH_PLANS": str(self.plans), "CRASH_ROLE": role}

    def set(self, what: What, when: AtEffect) -> None:
        """The next effect of any such process takes the plan up."""
        fresh = self.plans / f"{what}.new"
        fresh.write_text(f"{when.number} {'after' if when.after else 'before'}")
        fresh.replace(self.plans / what)

    def died(self, what: What) -> Died | None:
        """Whoever has died at its effect; told once."""
        for words in self.plans.glob(f"{what}.died.*"):
            pid = int(words.suffix[1:])
            if not _is_dead(pid):
                return None
            command = tuple(words.read_bytes().decode().rstrip("\0").split("\0"))
            words.unlink()
            return Died(pid=pid, command=command)
        return None

    def taken_by(self, what: What, pid: int) -> bool:
        """Whether that process has taken a plan: it dies at its effect, unless it is killed before."""
        return (self.plans / f"{what}.taken.{pid}").exists()

    def forget(self, what: What) -> None:
        """Nobody who has not taken the plan yet takes it any more."""
        (self.plans / what).unlink(missing_ok=True)


def _is_dead(pid: int) -> bool:
    """Whether it has gone, or waits for its parent to hear of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
