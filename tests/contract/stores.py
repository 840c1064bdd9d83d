"""The implementations of the store that the contract tests run on."""

import json
from collections.abc import Callable
from pathlib import Path

from sagestone.domain.algorithm import Algorithm
from sagestone.store.interface import Store
from sagestone.store.sqlite import SqliteStore

#: Opens the store that lives in a directory; opening it again finds what was kept.
OpenStore = Callable[[Path], Store]


def describe(algorithm: Algorithm) -> bytes:
    """A short stand-in for the DescribeAlgorithm answer."""
    return json.dumps({"name": algorithm.name, "status": algorithm.status}).encode()


def open_sqlite(directory: Path) -> Store:
    """The store in one SQLite file."""
    return SqliteStore(directory / "state.sqlite3", describe)


STORES: dict[str, OpenStore] = {"sqlite": open_sqlite}
