"""The store of an account: the one place that chooses its kind."""

from pathlib import Path

import orjson

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.describe.algorithm import describe_algorithm
from sagestone.settings import Settings
from sagestone.store.interface import Store
from sagestone.store.sqlite_database import open_sqlite
from sagestone.version import VERSION


def open_store(settings: Settings, directory: Path, account: str) -> Store:
    """The state of `account`, which keeps what is its own in `directory`; makes it on the first call."""
    return open_sqlite(directory / "state.sqlite3", _describe, describe_version=VERSION)


def open_state(path: Path) -> Store:
    """The state in that SQLite file, whatever the settings say: one that was restored."""
    return open_sqlite(path, _describe, describe_version=VERSION)


def _describe(algorithm: Algorithm) -> bytes:
    return orjson.dumps(describe_algorithm(algorithm))
