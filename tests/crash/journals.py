"""What agents told the service: their events, kept open so that they can still be read when their job is put away."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sagestone.domain.event import InstanceEvent
from tests.crash.instances import instances


class Journals:
    """Of each run of each instance, as far as it was looked at while that was there."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[str, int]] = {}  # by device and inode: the job, the descriptor

    def look(self, homes: Sequence[Path]) -> None:
        """Open those that are new."""
        for instance in (each for home in homes for each in instances(home)):
            try:
                descriptor = os.open(instance.directory / "events.jsonl", os.O_RDONLY)
            except (FileNotFoundError, NotADirectoryError):
                continue
            found = os.fstat(descriptor)
            key = (found.st_dev, found.st_ino)
            if key in self._open:
                os.close(descriptor)
            else:
                self._open[key] = (instance.job, descriptor)

    def take(self, job: str) -> list[list[InstanceEvent]]:
        """Those of a job that has ended, each with all its events; they are forgotten."""
        mine = [key for key, (name, _) in self._open.items() if name == job]
        descriptors = [self._open.pop(key)[1] for key in mine]
        try:
            return [_events(descriptor) for descriptor in descriptors]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def complaints(
    journals: Sequence[Sequence[InstanceEvent]], *, runs: int, samples: tuple[float, float]
) -> Iterator[str]:
    """What is wrong with them, and where they tell other values of the metric than the API: `samples`, how many and
    their sum. That is compared where every one of the `runs` of all hosts was seen."""
    for journal in journals:
        seqs = [event.seq for event in journal]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"events of a journal are {seqs}"
        if sum(event.outcome is not None for event in journal) > 1:
            yield "a journal has two outcomes"
    told = [point.value for journal in journals for event in journal for point in event.metrics]
    trained = [journal for journal in journals if any(event.stage == "Training" for event in journal)]
    if len(journals) == len(trained) == runs and (len(told), sum(told)) != samples:
        yield f"agents told {len(told)} samples with the sum {sum(told):g}, the API has {samples}"


def _events(descriptor: int) -> list[InstanceEvent]:
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return [msgspec.json.decode(line, type=InstanceEvent) for line in content.splitlines()]
