"""Whether anything is left on the machine when nothing runs: this machine is the harness's own (`enclosure`)."""

import os
import re
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sagestone.containers.sandbox.start import store_name

_PATIENCE_SECONDS = 20.0
_SERVERS = ("containerd ", "postgres: ")
#: What Docker mounts for itself, and forgets when it is killed, or makes anew; /run/netns is Podman's own.
_ENGINES_MOUNTS = re.compile(r"/run/netns$|-engine/data(/overlay2/|$)")
#: What engines forget that are killed: shims without a container, what ran in them would be seen beside them; and a
#: container that Podman had made and not begun, whose program never runs.
_OF_ENGINES = ("/usr/bin/containerd-shim", "/usr/bin/conmon ", "/usr/bin/runc init")
_ELSEWHERE = ("/tmp", "/run", "/dev/shm", "/dev/mqueue", "/var/tmp", "/run/netns")
_OF_SERVERS = ("containerd", "netns", "runc", "PostgreSQL.")  # what engines keep, and a database that was killed
_JOBS = ("training", "transform", ".trash")
_EMPTY = ("sandbox/containers", "sandbox/networks")
_KEPT = ("logs", "accounts")  # made when they are first needed
_PASSING = (".new", ".part", ".tmp")


class Machine:
    """How it was before the first job."""

    def __init__(self, homes: Sequence[Path], *, owner: int, engine: bool) -> None:
        """`engine`: one that is killed runs there, and forgets links and network namespaces of what it was removing."""
        self._homes, self._owner, self._engine = homes, owner, engine
        self._before = self._state()

    def complaints(self, running: Sequence[int], *, blobs: bool) -> list[str]:
        """What is here now that was not before, once it has had time to go. `running`: processes that may be here.

        `blobs`: also in the stores, which a service clears when it starts.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = [*self._strangers(running), *sorted(self._state() - self._before), *self._litter(blobs=blobs)]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _state(self) -> frozenset[str]:
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        mounts = [fields for fields in mounts if _ENGINES_MOUNTS.search(fields[4]) is None]
        loops = [path.read_text().strip() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
        if self._engine:
            mounts = [fields for fields in mounts if not fields[4].startswith("/run/netns/")]
        forgotten = ("br-", "podman", "veth") if self._engine else ()  # a network that is left the engine names
        links = [each for each in _links() if not each.startswith(forgotten)]
        files = [
            str(path) for place in _ELSEWHERE for path in Path(place).glob("*") if not path.name.startswith(_OF_SERVERS)
        ]
        at_home = [str(path) for home in self._homes for path in home.glob("*") if path.name not in _KEPT]
        return frozenset(
            [f"mount {fields[0]} of {fields[2]} on {self._shown(fields[4])}" for fields in mounts]
            + [f"link {link}" for link in links]
            + [f"loop device of {file}" for file in loops if any(file.startswith(str(each)) for each in self._homes)]
            + [f"file {path}" for path in files + at_home if not path.endswith(("-wal", "-shm", "endpoint.json"))]
        )

    def _shown(self, place: str) -> str:
        """Where it is mounted; what others mounted before this machine was divided off, they may rename."""
        return place if any(place.startswith(str(home.parent.parent)) for home in self._homes) else "another's"

    def _strangers(self, running: Sequence[int]) -> Iterator[str]:
        own_network = os.readlink("/proc/self/ns/net")  # noqa: PTH115
        for process in Path("/proc").glob("[0-9]*"):
            pid = int(process.name)
            if pid in (1, os.getpid()) or pid in running:
                continue
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                network = os.readlink(process / "ns" / "net")  # noqa: PTH115
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in running and ("--nursery" in command or command.startswith(_SERVERS)):
                continue  # waits for the service's next job, or is the engine's or the database's other half
            if command.startswith(_OF_ENGINES):
                continue
            apart = "" if network == own_network else " in a network of its own"
            yield f"process {pid}{apart}: {command[:200]}"

    def _litter(self, *, blobs: bool) -> Iterator[str]:
        for home in self._homes:
            jobs = [place / "jobs" / name for place in (home, *home.glob("accounts/*")) for name in _JOBS]
            places = [*jobs, *(home / name for name in _EMPTY)]
            yield from (f"left: {path}" for place in places for path in place.glob("*"))
            for path in (Path(place) / name for place, _, names in os.walk(home) for name in names):
                try:
                    found = path.lstat()
                except FileNotFoundError:
                    continue
                mode = found.st_mode
                if found.st_uid != self._owner:
                    yield f"not of the service's user: {path}"
                if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
                    yield f"FIFO or socket: {path}"
                if path.name.endswith(_PASSING) and "images" not in path.parts:
                    yield f"passing file: {path}"
            word = store_name((home / "sandbox").resolve())
            yield from (f"control group: {path}" for path in _groups(word))
            yield from _nameless_blobs(home / "s3") if blobs else ()


def _links() -> list[str]:
    return [line.partition(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]


def _groups(word: str) -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [*root.glob(f"sagestone/{word}-*"), *root.glob(f"*/sagestone/{word}-*")]


def _nameless_blobs(store: Path) -> Iterator[str]:
    if not store.exists():
        return
    index = sqlite3.connect(f"{(store / 'index.sqlite3').as_uri()}?mode=ro", uri=True)
    try:
        named = {row[0] for row in index.execute("SELECT blob FROM object UNION ALL SELECT blob FROM part")}
        (parts,) = index.execute("SELECT count(*) FROM part").fetchone()
    finally:
        index.close()
    blobs = {path.name for path in (store / "blobs").glob("*/*")}
    yield from (f"blob without a name: {name}" for name in sorted(blobs - named))
    yield from (f"blob is missing: {name}" for name in sorted(named - blobs))
    if parts:
        yield f"{parts} parts of uploads that nobody completes"
