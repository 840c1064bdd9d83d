"""A controller that a test turns by hand, over a store of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sagestone.control.backoff import Patience
from sagestone.control.controller import Controller
from sagestone.store.sql_store import SqlStore
from sagestone.store.sqlite_database import open_sqlite
from tests.unit.fault_placement import FaultPlacement


class Clock:
    """A monotonic clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def opened_store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store in a file there."""
    opened = open_sqlite(tmp_path / "state.sqlite3", lambda one: one.status.encode())
    yield opened
    opened.close()


def pump(store: SqlStore, placement: FaultPlacement, rounds: int = 60) -> Controller:
    """A controller whose clock goes on a second each round."""
    clock = Clock()
    controller = Controller(
        store,
        placement,
        region="eu-central-1",
        holder="test",
        monotonic=clock,
        clock=lambda: 3000.0 + clock.now,
        retry=Patience(first_seconds=0.1, longest_seconds=0.5, tries=4),
    )
    for _ in range(rounds):
        controller.round()
        clock.now += 1.0
    return controller


def outcome(store: SqlStore, name: str = "a") -> tuple[str, str | None]:
    found = store.algorithm(name)
    assert found is not None
    return found.status, found.validation.failure_reason if found.validation else None


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "not in 20 seconds"
        time.sleep(0.01)
