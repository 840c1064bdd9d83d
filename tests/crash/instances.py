"""Instances and their agents, as one sees them from outside: by the files of the jobs directory, and in /proc."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import msgspec

_AGENT = b"sagestone.agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance directory, and how far it has come."""

    directory: Path
    stage: str  # "ended" after its outcome, "" before its first event

    @property
    def job(self) -> str:
        """The key of its job."""
        return f"{self.directory.parents[1].name}/{self.directory.parent.name}"

    @property
    def theirs(self) -> bool:
        """Whether it is of another account than the home's own."""
        return "accounts" in self.directory.parts

    @property
    def name(self) -> str:
        return f"{self.job} {self.directory.name}"


def instances(home: Path) -> list[Instance]:
    """All that have a directory now."""
    places = (home / "jobs", *home.glob("accounts/*/jobs"))
    paths = [path for place in places for path in glob(f"{place}/*/*/algo-*")]  # noqa: PTH207  Path's fails at what goes
    found = sorted(map(Path, paths))
    return [instance_of(directory) for directory in found if directory.parents[1].name in ("training", "transform")]


def instance_of(directory: Path) -> Instance:
    """The instance of a directory, which may have gone."""
    stage = ""
    try:
        lines = (directory / "events.jsonl").read_bytes().split(b"\n")[:-1]
    except (FileNotFoundError, NotADirectoryError):
        lines = []
    for line in lines:
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue  # the service complains of it; a check will
        stage = "ended" if event.get("outcome") else event.get("stage") or stage
    return Instance(directory=directory, stage=stage)


def agents() -> Iterator[tuple[int, Path]]:
    """Process ids and instance directories of all agents that live."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:
            continue
        directory = directory_of(command)
        if directory is not None:
            yield int(process.name), directory


def directory_of(command: list[bytes]) -> Path | None:
    """The instance directory in an agent's command; None where it is no agent's."""
    if len(command) < 2 or command[-2] != _AGENT:
        return None
    return Path(command[-1].decode())
