"""File mode: a prefix as files on the disk, beside ready-made S3 clients that copy it from the same server.

The clients are counted from their start to their end; the agent, which runs already when a channel's turn comes, from
the order to its end. It fetches from the same store over HTTP, which is what the others do, and from its files, as it
does where the store is embedded. Rows take turns in each round. Files are written to memory where there is room: what
a disk does with thousands of files just made and removed would hide all else.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from bench.file_agent import Order
from bench.file_clients import NAMES, copy_prefix, install_clients
from bench.report import Figure, at_most, median, ratio, show
from bench.service import RunningService, service
from sagestone.agent.parts import S3Part
from sagestone.domain.channel import Channel
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri

_ROUNDS = 3
_MIB = 1024 * 1024
BUCKET = "file"
CASES = {"large": (1, 512 * _MIB), "medium": (16, 32 * _MIB), "small": (3000, 10_240)}  # objects, bytes of each


def main() -> None:
    """Measure and print."""
    install_clients()
    with tempfile.TemporaryDirectory(prefix="sagestone-bench-", dir=in_memory()) as scratch, service() as running:
        make_bucket(running.home / "s3")
        for prefix, (count, size) in CASES.items():
            put_objects(running.home / "s3", prefix, count, size)
            title = f"File mode: {prefix} ({count:,} x {size / _MIB:,.2f} MiB)"
            show(title, _measure(prefix, count, size, Path(scratch), running))


def in_memory() -> str | None:
    """A directory in memory with room for what is measured; None where there is none, for the usual place."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else None


def make_bucket(store: Path) -> None:
    """The bucket for all, in the embedded store of a directory."""
    storage = open_storage(store)
    storage.buckets.create(BUCKET, "us-east-1", time.time())
    storage.close()


def put_objects(store: Path, prefix: str, count: int, size: int) -> None:
    """Random objects `prefix/000000`, … in the embedded store of a directory."""
    s3, block = EmbeddedS3(store), random.Random(0).randbytes(min(size, _MIB))

    def put(number: int) -> None:
        write_all(s3, S3Uri(BUCKET, f"{prefix}/{number:06}"), (block for _ in range(max(1, size // _MIB))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(count)))


def parts(running: RunningService) -> dict[str, S3Part]:
    """The ways to that store."""
    access_key, secret_key = running.keys
    return {
        "embedded": S3Part(kind="embedded", directory=str(running.home / "s3")),
        "remote": S3Part(kind="remote", endpoint_url=running.endpoint, access_key=access_key, secret_key=secret_key),
    }


def fetch(part: S3Part, prefix: str, directory: Path) -> tuple[float, float]:
    """Fetch as an agent does, in a process of its own: seconds, and the most memory it had, in MiB."""
    channel = Channel(
        name="train",
        s3_data_type="S3Prefix",
        s3_uri=f"s3://{BUCKET}/{prefix}/",
        distribution="FullyReplicated",
        input_mode="File",
    )
    order = Order(s3=part, channel=channel, directory=str(directory))
    with subprocess.Popen(
        [sys.executable, "-m", "bench.file_agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        if agent.stdout.readline() != b"ready\n":
            raise RuntimeError("the agent did not start")
        began = time.perf_counter()
        agent.stdin.write(msgspec.json.encode(order) + b"\n")
        agent.stdin.close()
        peak = float(agent.stdout.readline())
        agent.wait()
        return time.perf_counter() - began, peak


def _measure(prefix: str, count: int, size: int, scratch: Path, running: RunningService) -> list[Figure]:
    ways = parts(running)
    seconds: dict[str, list[float]] = {name: [] for name in (*NAMES, *ways)}
    peaks: list[float] = []

    def run(name: str, target: Path) -> float:
        if name not in ways:
            return timed(lambda: copy_prefix(name, running, BUCKET, f"{prefix}/", target))
        taken, peak = fetch(ways[name], prefix, target)
        peaks.append(peak)
        return taken

    for number in range(_ROUNDS):
        for name in seconds:
            if name == "aws" and number:  # once is enough to see how far behind it is
                continue
            target = scratch / "target"
            target.mkdir()
            seconds[name].append(run(name, target))
            found = sum(1 for path in target.rglob("0*") if path.stat().st_size == size)
            if found != count:
                raise RuntimeError(f"{name} brought {found} of {count} objects")
            shutil.rmtree(target)
    mid = {name: median(values) for name, values in seconds.items()}
    fastest = min(mid[name] for name in NAMES)
    return [
        *(Figure(name=name, value=value, unit="s") for name, value in mid.items()),
        ratio("remote / fastest ready-made client", fastest, mid["remote"], 1),
        ratio("embedded / fastest ready-made client", fastest, mid["embedded"], 1),
        at_most("memory of the agent", max(peaks), "MiB", 200),
    ]


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
