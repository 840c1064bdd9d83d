"""FastFile mode: an object read to its end, beside File mode and `rclone mount`; and how soon there is a first byte.

The first byte counts from the start of the channel (a process of its own, and the begin of the listing) to a byte of
the last object of the prefix, of 100, 10,000 and 100,000 objects; to the last of a shard of two, which has to wait for
the listing; and to the first name of the directory. What was read stays in the kernel's cache: each round has a mount
of its own.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.file import BUCKET, fetch, in_memory, make_bucket, parts, put_objects, timed
from bench.file_agent import peak_mib
from bench.file_clients import install_clients, mounted_by_rclone
from bench.report import Figure, at_most, median, ratio, show
from bench.service import RunningService, service
from sagestone.agent.build import build_s3
from sagestone.agent.fast_file import Order
from sagestone.agent.parts import S3Part
from sagestone.channels.fast_file.channel import FastFileChannel
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share
from tests.many_objects import add_objects

_ROUNDS = 3
_MIB = 1024 * 1024
_LARGE = 512 * _MIB
_SMALL = 2000  # files of 64 KiB
_MANY = (100, 10_000, 100_000)
_FREE = 2.0  # how much longer a hundred thousand may take than ten thousand


def main() -> None:
    """Measure and print."""
    install_clients()
    with tempfile.TemporaryDirectory(prefix="sagestone-bench-", dir=in_memory()) as scratch, service() as running:
        make_bucket(running.home / "s3")
        for prefix, count, size in (("large", 1, _LARGE), ("small", _SMALL, 65_536)):
            put_objects(running.home / "s3", prefix, count, size)
        for count in _MANY:
            add_objects(running.home / "s3", BUCKET, [f"{count}/{number:06}" for number in range(count)])
        for name, part in parts(running).items():
            show(f"FastFile mode: {name}", _measure(part, Path(scratch), running))


def _measure(part: S3Part, scratch: Path, running: RunningService) -> list[Figure]:
    names = ("file", "fast", "small", "rclone", "shard", "name", *map(str, _MANY))
    rounds: dict[str, list[float]] = {name: [] for name in names}
    peaks: list[float] = []
    for _ in range(_ROUNDS):
        rounds["file"].append(fetch(part, "large", scratch / "file")[0])
        shutil.rmtree(scratch / "file")
        for count in _MANY:
            rounds[str(count)].append(_with_channel(part, str(count), scratch, peaks, _first_byte(count)))
        rounds["shard"].append(_with_channel(part, str(_MANY[-1]), scratch, peaks, _first_byte(_MANY[-1]), hosts=2))
        rounds["name"].append(_with_channel(part, str(_MANY[-1]), scratch, peaks, _first_name))
        rounds["fast"].append(_with_channel(part, "large", scratch, peaks, _read_all))
        rounds["small"].append(_with_channel(part, "small", scratch, peaks, _read_all))
        if part.kind == "remote":
            rounds["rclone"].append(_by_rclone(running, scratch / "rclone"))
    mid = {name: median(values) for name, values in rounds.items() if values}
    figures = [
        Figure(name="512 MiB in File mode", value=_LARGE / mid["file"] / 1e6, unit="MB/s"),
        Figure(name="512 MiB in FastFile mode, read to the end", value=_LARGE / mid["fast"] / 1e6, unit="MB/s"),
        Figure(name="FastFile / File", value=mid["file"] / mid["fast"], unit="x"),
        Figure(name="64 KiB files, one reader", value=_SMALL / mid["small"], unit="/s"),
        *(
            Figure(name=f"first byte of {count:,} objects, the last one's", value=mid[str(count)], unit="s")
            for count in _MANY
        ),
        at_most("first byte of 10,000 objects", mid["10000"], "s", 1.0),
        at_most("first byte, 100,000 / 10,000 objects", mid["100000"] / mid["10000"], "x", _FREE),
        Figure(name="first name in a directory of 100,000 objects", value=mid["name"], unit="s"),
        Figure(name="last object of a shard of 100,000 objects", value=mid["shard"], unit="s"),
    ]
    if part.kind == "remote":
        figures += [
            Figure(name="512 MiB by rclone mount", value=_LARGE / mid["rclone"] / 1e6, unit="MB/s"),
            ratio("FastFile / rclone mount", mid["rclone"], mid["fast"], 1),
            at_most("memory of the file server", max(peaks), "MiB", 200),
        ]
    return figures


def _with_channel(
    part: S3Part, prefix: str, scratch: Path, peaks: list[float], work: Callable[[Path], None], hosts: int = 1
) -> float:
    """Seconds that the work on its files takes; unless all is read, from the start of the channel on."""
    channel = Channel(
        name="train",
        s3_data_type="S3Prefix",
        s3_uri=f"s3://{BUCKET}/{prefix}/",
        distribution="FullyReplicated" if hosts == 1 else "ShardedByS3Key",
        input_mode="FastFile",
    )
    share, place = Share(number=hosts, count=hosts), scratch / "fast_file"
    order = Order(s3=part, channel=channel, share=share, directory=str(place))
    live = FastFileChannel(build_s3(part), channel, share, place, scratch / "seen", order=msgspec.json.encode(order))

    try:
        start = timed(lambda: live.start(lambda: None))
        seconds = timed(lambda: work(live.mounts()[0].source))
        lock = place / "train.lock"
        if lock.exists():
            peaks.append(peak_mib(lock.read_text().split()[0]))
    finally:
        live.stop()
    return seconds + (0 if work is _read_all else start)


def _by_rclone(running: RunningService, place: Path) -> float:
    place.mkdir(exist_ok=True)
    with mounted_by_rclone(running, BUCKET, "large/", place):
        return timed(lambda: _read_all(place))


def _first_byte(count: int) -> Callable[[Path], None]:
    def read(root: Path) -> None:
        with (root / f"{count - 1:06}").open("rb") as file:
            file.read(1)

    return read


def _first_name(root: Path) -> None:
    with os.scandir(root) as names:
        next(names)


def _read_all(root: Path) -> None:
    buffer = bytearray(_MIB)
    for path in sorted(root.iterdir()):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
