"""What a service holds: of its process, and of what exists because requests made it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sagestone.s3_server.face import THREADS
from sagestone.server.server import WRITERS

#: So many requests of a warm-up fill caches and pools: what comes to it later is a leak.
WARM = 10_000

_MOST_GROWTH_KIB = 24 * 1024
#: Eight clients at once with bodies of 8 MiB at most.
_LARGEST_MOMENT_KIB = 256 * 1024
_THREADS_OF_POOLS = WRITERS + THREADS + 8
_DESCRIPTORS_OF_A_THREAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """`largest_kib`: the most that was resident since the process began, or since `forget_largest`."""

    resident_kib: int
    largest_kib: int
    descriptors: int
    threads: int
    resources: int  # of SageMaker
    keys: int  # of KMS, which are never deleted sooner than after seven days
    objects: int  # of S3, with parts of uploads
    disk_kib: int


def footprint(pid: int, home: Path) -> Footprint:
    """Of the process and its home; from outside, so that the service does nothing for it."""
    place = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    return Footprint(
        resident_kib=int(status["VmRSS"].split()[0]),
        largest_kib=int(status["VmHWM"].split()[0]),
        descriptors=len(list((place / "fd").iterdir())),
        threads=int(status["Threads"]),
        resources=_rows(home / "state.sqlite3", "resources"),
        keys=len(list((home / "kms").glob("*-*.json"))),
        objects=_rows(home / "s3" / "index.sqlite3", "object") + _rows(home / "s3" / "index.sqlite3", "part"),
        disk_kib=_disk_kib(home),
    )


def forget_largest(pid: int) -> None:
    """Let the largest moment of a process begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def shown(warm: Footprint, end: Footprint) -> str:
    """Both, as the summary of a run has them."""
    return (
        f"memory {warm.resident_kib // 1024} → {end.resident_kib // 1024} MiB (its largest moment "
        f"{end.largest_kib // 1024}), descriptors {warm.descriptors} → {end.descriptors}, threads {warm.threads} → "
        f"{end.threads}; there are {warm.resources} → {end.resources} resources, {warm.keys} → {end.keys} keys and "
        f"{warm.objects} → {end.objects} objects, on {warm.disk_kib // 1024} → {end.disk_kib // 1024} MiB of disk"
    )


def leaks(kind: str, warm: Footprint, end: Footprint, *, warmed_by: int) -> Iterator[str]:
    """`warmed_by`: how many requests the warm-up had. After few of them pools and caches are still growing.

    Pools of threads grow to their size as many requests happen to be worked on at once; each thread has its own
    connections to the databases.
    """
    if end.descriptors > warm.descriptors + 8 + _DESCRIPTORS_OF_A_THREAD * max(0, end.threads - warm.threads):
        yield f"{kind}: open descriptors grew from {warm.descriptors} to {end.descriptors}"
    if warmed_by < WARM // 20:
        return
    if end.threads > max(warm.threads + 2, _THREADS_OF_POOLS):
        yield f"{kind}: threads grew from {warm.threads} to {end.threads}"
    if warmed_by >= WARM and end.resident_kib > warm.resident_kib + _MOST_GROWTH_KIB:
        yield (
            f"{kind}: memory grew from {warm.resident_kib} to {end.resident_kib} KiB, by more than {_MOST_GROWTH_KIB}"
        )
    if end.largest_kib > warm.resident_kib + _LARGEST_MOMENT_KIB:
        yield f"{kind}: memory grew to {end.largest_kib} KiB for a moment, from {warm.resident_kib}"


def _rows(database: Path, table: str) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def _disk_kib(home: Path) -> int:
    """Of files that may go away meanwhile."""
    total = 0
    for path in home.rglob("*"):
        try:
            total += path.lstat().st_blocks // 2
        except FileNotFoundError:
            continue
    return total
