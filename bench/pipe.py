"""Pipe mode: bytes through a FIFO to `cat`, beside `cat` itself and beside a plain client of the same S3 server.

Every row is read by `cat FIFO > /dev/null`. The agent feeds in a process of its own, from the embedded store's files
and from the same store over HTTP. Everything was read before, so disks take no part.
"""

import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench.pipe_agent import Order
from bench.pipe_client import one_object, small_objects
from bench.report import Figure, at_most, median, ratio, show
from bench.service import RunningService, service
from sagestone.agent.parts import S3Part
from sagestone.domain.channel import Channel
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri

_ROUNDS = 3
_BUCKET = "pipe"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is sent: `cat` reads the same bytes from these files, all together of this size."""

    name: str
    prefix: str
    directory: Path
    files: list[str]  # names below it
    size: int
    plain_client: Callable[[RunningService], int]
    packed: str = ""  # the gzip file that each object is
    records: bool = False


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="sagestone-bench-") as scratch, service() as running:
        for number, case in enumerate(_cases(running.home / "s3", Path(scratch))):
            directory = Path(scratch) / str(number)
            directory.mkdir()
            show(f"Pipe mode: {case.name}", _measure(case, directory, running))


def _measure(case: Case, scratch: Path, running: RunningService) -> list[Figure]:
    access_key, secret_key = running.keys
    parts = {
        "embedded": S3Part(kind="embedded", directory=str(running.home / "s3")),
        "remote": S3Part(kind="remote", endpoint_url=running.endpoint, access_key=access_key, secret_key=secret_key),
    }
    rates: dict[str, list[float]] = {"cat": [], "gzip": [], "client": [], "embedded": [], "remote": []}
    peaks: list[float] = []
    with (
        _feeding(case, parts["embedded"], scratch / "embedded", peaks) as embedded,
        _feeding(case, parts["remote"], scratch / "remote", peaks) as remote,
    ):
        for epoch in range(_ROUNDS):
            rates["cat"].append(case.size / _write(["cat", *case.files], case, scratch))
            if case.packed:
                command = ["gzip", "-dc", *[case.packed] * len(case.files)]
                rates["gzip"].append(case.size / _write(command, case, scratch))
            else:
                rates["client"].append(case.size / _timed(lambda: case.plain_client(running)))
            rates["embedded"].append(case.size / _read(embedded / f"train_{epoch}"))
            rates["remote"].append(case.size / _read(remote / f"train_{epoch}"))
    names = {"cat": "cat FILE > FIFO", "gzip": "gzip -dc FILE > FIFO", "client": "plain client of the S3 server"}
    mid = {name: median(values) / 1e6 for name, values in rates.items() if values}
    figures = [Figure(name=names.get(name, f"pipe, {name}"), value=rate, unit="MB/s") for name, rate in mid.items()]
    if not case.packed:  # later ones have small files open, and need not look through what has no magic number
        figures.append(Figure(name="pipe, embedded, first epoch", value=rates["embedded"][0] / 1e6, unit="MB/s"))
    if case.packed:
        figures.append(ratio("embedded / gzip -dc", mid["embedded"], mid["gzip"], 2))
        figures.append(ratio("remote / gzip -dc", mid["remote"], mid["gzip"], 2))
    else:
        figures.append(ratio("embedded / cat", mid["embedded"], mid["cat"], 5))
        figures.append(ratio("remote / plain client", mid["remote"], mid["client"], 0.9))
    return [*figures, at_most("memory of the feeding agent", max(peaks), "MiB", 200)]


@contextmanager
def _feeding(case: Case, part: S3Part, directory: Path, peaks: list[float]) -> Iterator[Path]:
    """An agent that feeds; the directory of its FIFOs."""
    channel = Channel(
        name="train",
        s3_data_type="S3Prefix",
        s3_uri=f"s3://{_BUCKET}/{case.prefix}",
        distribution="FullyReplicated",
        input_mode="Pipe",
        compression="Gzip" if case.packed else "None",
        record_wrapper="RecordIO" if case.records else "None",
    )
    agent = subprocess.Popen(
        [sys.executable, "-m", "bench.pipe_agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},  # as the placement starts it
    )
    assert agent.stdin is not None
    assert agent.stdout is not None
    order = Order(s3=part, channel=channel, directory=str(directory))
    agent.stdin.write(msgspec.json.encode(order) + b"\n")
    agent.stdin.flush()
    if agent.stdout.readline() != b"ready\n":
        raise RuntimeError("the feeding agent did not start")
    try:
        yield directory / "opt_ml" / "input" / "data"
    finally:
        agent.stdin.close()
        peaks.append(float(agent.stdout.readline()))
        agent.wait(timeout=30)


def _read(fifo: Path) -> float:
    """Seconds until `cat` has read the FIFO to its end."""
    deadline = time.monotonic() + 60
    while not fifo.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{fifo} does not appear")
        time.sleep(0.01)
    return _timed(lambda: _run(["sh", "-c", f"exec cat {fifo} > /dev/null"]))


def _write(command: list[str], case: Case, scratch: Path) -> float:
    """Seconds for the same bytes into a FIFO by a command, and out of it by `cat`."""
    fifo = scratch / "yardstick"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["sh", "-c", f"exec cat {fifo} > /dev/null"])

    def write() -> None:
        with fifo.open("wb") as end:
            subprocess.run(command, stdout=end, check=True, cwd=case.directory)
        reader.wait()

    seconds = _timed(write)
    fifo.unlink()
    return seconds


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


def _cases(store: Path, scratch: Path) -> Iterator[Case]:
    storage = open_storage(store)
    storage.buckets.create(_BUCKET, "us-east-1", time.time())
    s3 = EmbeddedS3(store)
    block = random.Random(0).randbytes(_MIB)
    write_all(s3, S3Uri(_BUCKET, "large/object"), (block for _ in range(1024)))
    yield Case(
        name="large (1 x 1 GiB)",
        prefix="large/",
        directory=storage.blobs.directory,
        files=_blobs(s3, storage.blobs.directory, "large/"),
        size=1024 * _MIB,
        plain_client=lambda running: one_object(running, _BUCKET, "large/object"),
    )
    keys = [f"small/{number:05}" for number in range(20_000)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: write_all(s3, S3Uri(_BUCKET, key), [block[:10_240]]), keys))
    small = Case(
        name="small (20,000 x 10 KiB)",
        prefix="small/",
        directory=storage.blobs.directory,
        files=_blobs(s3, storage.blobs.directory, "small/"),
        size=20_000 * 10_240,
        plain_client=lambda running: small_objects(running, _BUCKET, keys),
    )
    yield small
    yield replace(small, name="small as RecordIO (20,000 x 10 KiB)", records=True)
    text = "".join(f"{number},{number * 7919 % 1000003},{number % 97}\n" for number in range(2_000_000)).encode()
    (scratch / "plain").write_bytes(text)
    (scratch / "packed.gz").write_bytes(gzip.compress(text, 6))
    for number in range(8):
        write_all(s3, S3Uri(_BUCKET, f"gzip/{number}"), [(scratch / "packed.gz").read_bytes()])
    yield Case(
        name=f"gzip (8 x {len(text) // 1_000_000} MB of CSV)",
        prefix="gzip/",
        directory=scratch,
        files=["plain"] * 8,
        size=len(text) * 8,
        plain_client=lambda running: 0,
        packed="packed.gz",
    )
    storage.close()


def _blobs(s3: EmbeddedS3, directory: Path, prefix: str) -> list[str]:
    """The store's own files of these objects, as names below its directory of blobs."""
    blobs = open_storage(directory.parent).blobs
    return [str(blobs.path(info.place).relative_to(directory)) for info in s3.list(S3Uri(_BUCKET, prefix))]
