"""The implementations of the store that the contract tests run on."""

import json
from collections.abc import Callable
from pathlib import Path

from sagestone.domain.algorithm import Algorithm
from sagestone.store.interface import Store
from sagestone.store.sqlite_database import open_sqlite

#: Opens the store that lives in a directory; opening it again finds what was kept.
OpenStore = Callable[[Path], Store]


def describe(algorithm: Algorithm) -> bytes:
    """A short stand-in for the DescribeAlgorithm answer."""
    return json.dumps({"name": algorithm.name, "status": algorithm.status}).encode()


def in_a_file(directory: Path) -> Store:
    """The store in one SQLite file."""
    return open_sqlite(directory / "state.sqlite3", describe)


STORES: dict[str, OpenStore] = {"sqlite": in_a_file}
