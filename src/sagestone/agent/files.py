"""The files by which a service and its agents speak: they outlive both.

A job's directory is `<home>/jobs/<training|transform>/<name>/`; each instance has `algo-<n>/` in it:

    assignment.json   what to do; written before the agent starts
    events.jsonl      what happened: one InstanceEvent a line, appended and synced by the agent
    stop              present when the instance is to stop; its word is the reason, Stopped or Interrupted
    agent.lock        held (flock) by the agent as long as it lives
    agent.pid         its process id, written once it holds the lock
    agent.log         what the agent itself had to say
    opt_ml/           input, model and output as the container sees them
    scratch/          whatever else the agent needs; nothing outside the directory is written but logs and S3

and beside them `rendezvous/`, where the instances of one job find each other, and `caches/algo-<n>/`, which go from one
job to the next that takes over its warm pool.

Where the job names a key for its volume, `opt_ml/` and the cache lie on an encrypted volume (`sagestone.volumes`) in
`caches/algo-<n>.volume/`, with `tmp/`, the container's /tmp, and `spools/`, parts of objects on their way. The rest
stays: a program that fills its volume must not keep the agent from telling how it ended.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from sagestone.domain.assignment import Assignment, TrainingAssignment, TransformAssignment
from sagestone.domain.event import InstanceEvent
from sagestone.volumes.place import data_of

#: Where a job's instances have what outlives their job.
CACHES: Final = "caches"
#: How the directory of an instance's encrypted volume ends, among the caches.
VOLUME: Final = ".volume"


class InstanceFiles:
    """The paths of one instance, and the reading and writing of its documents.

    `on_volume`: what is written by and for the container lies on the encrypted volume.
    """

    def __init__(self, directory: Path, *, on_volume: bool = False) -> None:
        self.directory, self.on_volume = directory, on_volume
        self.caches = directory.parent / CACHES
        self.volume = self.caches / f"{directory.name}{VOLUME}"
        place = data_of(self.volume) if on_volume else directory
        self.assignment = directory / "assignment.json"
        self.events = directory / "events.jsonl"
        self.stop = directory / "stop"
        self.lock = directory / "agent.lock"
        self.pid = directory / "agent.pid"
        self.log = directory / "agent.log"
        self.opt_ml = place / "opt_ml"
        self.scratch = directory / "scratch"
        self.spools = place / "spools" if on_volume else self.scratch  # parts of objects on their way
        self.fast_file = self.scratch / "fast_file"  # beside an encrypted volume the only place with mounts
        self.rendezvous = directory.parent / "rendezvous"
        self.cache = data_of(self.volume) / "cache" if on_volume else self.caches / directory.name
        self.tmp = place / "tmp"  # the container's /tmp, where it is on the volume

    @classmethod
    def of(cls, jobs: Path, job: str, number: int) -> "InstanceFiles":
        """The files of instance `number` of the job with that key, below the jobs directory."""
        return cls(jobs / job / f"algo-{number}")

    def moved(self) -> "InstanceFiles":
        """The same instance with what is on the encrypted volume there."""
        return InstanceFiles(self.directory, on_volume=True)

    def write_assignment(self, assignment: Assignment) -> None:
        """Write it whole or not at all, readable by the owner only."""
        kind = "training" if isinstance(assignment, TrainingAssignment) else "transform"
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.directory / "assignment.json.new"
        fresh.write_bytes(msgspec.json.encode({"kind": kind, "assignment": assignment}))
        fresh.chmod(0o600)
        fresh.replace(self.assignment)

    def read_assignment(self) -> Assignment:
        """The assignment; raises msgspec.DecodeError where the file is not one."""
        document: dict[str, Any] = msgspec.json.decode(self.assignment.read_bytes())
        if document["kind"] == "training":
            return msgspec.convert(document["assignment"], TrainingAssignment)
        return msgspec.convert(document["assignment"], TransformAssignment)

    def write_stop(self, reason: str) -> None:
        """Tell the instance to stop; the first reason stays."""
        if self.stop.exists():
            return
        fresh = self.directory / "stop.new"
        fresh.write_text(reason)
        fresh.replace(self.stop)

    def read_events(self, after: int = 0) -> list[InstanceEvent]:
        """Events with a seq above `after`; a last line that is still being written is left for the next time."""
        try:
            content = self.events.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        events = [msgspec.json.decode(line, type=InstanceEvent) for line in whole.splitlines()]
        return [event for event in events if event.seq > after]
