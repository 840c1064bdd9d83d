"""What goes wrong for a while and is over again: nobody is killed, and nobody may lose anything for it."""

import os
import signal
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from tests.crash.plan import Kill, What
from tests.crash.world import World

_MOST_SECONDS_WRONG = 200.0  # more would be refused as the time of a signature
_CHUNK = bytes(1 << 20)


def cause(kill: Kill, world: World) -> None:
    """Let it happen, for as long as the kill says."""
    with TROUBLES[kill.what](kill, world):
        time.sleep(kill.down_seconds)


@contextmanager
def _frozen(kill: Kill, world: World) -> Iterator[None]:
    """The service, or one of them, stands still, as on a machine that is suspended."""
    pid = world.services[int(kill.draw * len(world.services))].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _locked(_: Kill, world: World) -> Iterator[None]:
    """Another process holds the database: a backup, or somebody who looks at it."""
    connection = sqlite3.connect(world.homes[0] / "state.sqlite3", isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@contextmanager
def _wrong_clock(kill: Kill, world: World) -> Iterator[None]:
    """The time of day jumps, in either direction, and stays so: for the service, its agents and the S3 server."""
    seconds = round((2 * kill.draw - 1) * _MOST_SECONDS_WRONG)
    with (world.effects.plans / "clock").open("r+b") as file:
        file.write(struct.pack("q", seconds))
    yield


@contextmanager
def _full(home: Path) -> Iterator[None]:
    filler = home / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            size = len(_CHUNK)
            while True:
                try:
                    file.write(_CHUNK[:size])
                except OSError:
                    if size == 1:
                        raise
                    size //= 2
        yield
    finally:
        filler.unlink(missing_ok=True)


TROUBLES: Mapping[What, Callable[[Kill, World], AbstractContextManager[None]]] = {
    "freeze": _frozen,
    "lock": _locked,
    "clock": _wrong_clock,
    "disk": lambda _, world: _full(world.homes[0]),
    "s3-disk": lambda _, world: _full(world.homes[-1]),
}
