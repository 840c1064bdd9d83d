"""Where the instances of one job find each other: a directory in which each leaves how its container ended.

`algo-<n>.json` is the Outcome of one host without an artifact, written whole once. It is the memory of a lone host too:
an agent that finds its own verdict does not look at the container again.
"""

import time
from functools import partial
from pathlib import Path

import msgspec

from sagestone.agent.files import InstanceFiles
from sagestone.archive.room import when_there_is_room
from sagestone.domain.assignment import Host
from sagestone.domain.event import Outcome
from sagestone.durable import whole_file
from sagestone.file_lock import is_held

_LOOK_SECONDS = 0.2


class Rendezvous:
    """The verdicts of a job's hosts as one of them sees them."""

    def __init__(self, files: InstanceFiles, host: Host) -> None:
        self._files, self._host = files, host
        self._known: dict[int, Outcome] = {}
        self._next_look = 0.0
        self._lock_free_since: dict[int, float] = {}

    def leave(self, verdict: Outcome) -> None:
        """Tell the others how this host's container ended."""
        self._files.rendezvous.mkdir(exist_ok=True)
        content = msgspec.json.encode(verdict)
        when_there_is_room(partial(_write_whole, self._path(self._host.number), content))

    def verdict(self, number: int) -> Outcome | None:
        """What that host left; None: it has not ended yet."""
        if number not in self._known:
            try:
                self._known[number] = msgspec.json.decode(self._path(number).read_bytes(), type=Outcome)
            except FileNotFoundError:
                return None
        return self._known[number]

    @property
    def own(self) -> Outcome | None:
        return self.verdict(self._host.number)

    @property
    def peers(self) -> list[int]:
        return [number for number in range(1, self._host.count + 1) if number != self._host.number]

    def failed_peer(self) -> tuple[int, Outcome] | None:
        """The first other host that failed, looked for at most five times a second."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + _LOOK_SECONDS
        for number in self.peers:
            verdict = self.verdict(number)
            if verdict is not None and verdict.ending == "Failed":
                return number, verdict
        return None

    def lost_peer(self, patience_seconds: float) -> int | None:
        """A host without a verdict whose agent has not been alive for that long."""
        now = time.monotonic()
        for number in self.peers:
            if self.verdict(number) is not None or is_held(self.peer_files(number).lock):
                self._lock_free_since.pop(number, None)
            elif now - self._lock_free_since.setdefault(number, now) >= patience_seconds:
                return number
        return None

    def note_restored(self) -> None:
        """Tell the others that this host has read what there was of the job's checkpoints."""
        self._files.rendezvous.mkdir(exist_ok=True)
        self._restored_path(self._host.number).touch()

    def forget_restored(self) -> None:
        """This host begins to read them again."""
        self._restored_path(self._host.number).unlink(missing_ok=True)

    def have_all_restored(self) -> bool:
        """Whether no other host is going to read the job's checkpoints any more."""
        return all(self._restored_path(peer).exists() or self.verdict(peer) is not None for peer in self.peers)

    def peer_files(self, number: int) -> InstanceFiles:
        """The files of another host of this job, which lie beside ours."""
        beside = self._files.directory.parent / f"algo-{number}"
        return InstanceFiles(beside, on_volume=self._files.on_volume)

    def _restored_path(self, number: int) -> Path:
        return self._files.rendezvous / f"algo-{number}.restored"

    def _path(self, number: int) -> Path:
        return self._files.rendezvous / f"algo-{number}.json"


def _write_whole(path: Path, content: bytes) -> None:
    with whole_file(path) as file:
        file.write(content)
