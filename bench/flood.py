"""A job that prints without end beside one that computes: what the neighbour and the disk notice of it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Figure, at_most, median, show
from sagestone.domain.assignment import Limits
from sagestone.domain.metric import MetricDefinition
from tests.contract.training.training_instance import Ground, Platform, TrainingInstance

_ROUNDS = 2
_MIB = 1024 * 1024
_SECONDS_OF_FLOOD = 4.0  # before the neighbour is measured: beyond what is taken as fast as it comes
#: Both processors of a small machine, for a few seconds.
_WORK = "work() { i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; }; work & work & wait"
_METRIC = (MetricDefinition(name="count", regex="count=([0-9]+)"),)

#: What the other job does: nothing that is written is the yardstick.
_NEIGHBOURS: dict[str, tuple[str, tuple[MetricDefinition, ...]]] = {
    "silent": ("while true; do :; done", ()),
    "1 MiB blocks of zeros": ("cat /dev/zero", ()),
    "short lines": ("yes", ()),
    "lines with metrics": ("yes count=12", _METRIC),
}


def main() -> None:
    """Measure and print."""
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        platform = Platform.sandbox(Path(scratch))
        warm = Path(scratch) / "warm"
        warm.mkdir()
        _measure(Ground(platform=platform, directory=warm))
        seconds: dict[str, list[float]] = {name: [] for name in _NEIGHBOURS}
        disk = 0.0
        for number in range(_ROUNDS):
            for name, (program, metrics) in _NEIGHBOURS.items():
                directory = Path(scratch) / f"{number}-{name.replace(' ', '-')}"
                directory.mkdir()
                ground = Ground(platform=platform, directory=directory)
                with _running(ground, program, metrics):
                    seconds[name].append(_measure(ground))
                    disk = max(disk, _used(Path(scratch)) / _MIB)
    yardstick = median(seconds["silent"])
    figures.append(Figure(name="a job's work beside one that computes as much, silently", value=yardstick, unit="s"))
    for name, taken in seconds.items():
        if name != "silent":
            figures.append(at_most(f"beside {name} / beside the silent one", median(taken) / yardstick, "x", 1.25))
    figures.append(at_most("most on disk: a job's log, and what waits to be read", disk, "MiB", 1024 + 2 * 256 + 64))
    show("a flood of output (sandbox)", figures)


@contextmanager
def _running(ground: Ground, program: str, metrics: tuple[MetricDefinition, ...]) -> Iterator[None]:
    """Half a processor for the program, for some time before and all the time inside."""
    flood = TrainingInstance(
        ground, program, name="flood", limits=Limits(cpus=0.5), metric_definitions=metrics, grace=0.1
    ).start()
    try:
        time.sleep(_SECONDS_OF_FLOOD)
        yield
    finally:
        flood.kill()  # asked to stop, it would first read what has gathered
        for container in ground.platform.runtime.find(flood.assignment.labels):
            ground.platform.runtime.remove(container.id)


def _measure(ground: Ground) -> float:
    """Seconds that the work takes, as the program itself sees them."""
    program = f"read up rest < /proc/uptime; {_WORK}; read end rest < /proc/uptime; "
    instance = TrainingInstance(ground, program + "echo $up $end", name="neighbour", limits=Limits(cpus=2.0))
    outcome = instance.run()
    assert outcome.ending == "Completed", outcome
    up, end = instance.log()[-1].split()
    return float(end) - float(up)


def _used(directory: Path) -> int:
    """Bytes on disk."""
    ran = subprocess.run(["du", "-s", "-B1", directory], capture_output=True, text=True, check=False)
    return int(ran.stdout.split()[0])


if __name__ == "__main__":
    main()
