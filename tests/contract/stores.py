"""The implementations of the store that the contract tests run on."""

import json
from collections.abc import Callable
from pathlib import Path

from sagestone.domain.algorithm import Algorithm
from sagestone.store.interface import Store
from sagestone.store.postgres.address import read_address
from sagestone.store.postgres.open import open_postgres
from sagestone.store.postgres.services import Member
from sagestone.store.postgres.session import Session
from sagestone.store.sqlite_database import open_sqlite
from tests.postgres import missing_postgres_reason, postgres_url, schema_for

#: Opens the store that lives in a directory; opening it again finds what was kept.
OpenStore = Callable[[Path], Store]


def describe(algorithm: Algorithm) -> bytes:
    """A short stand-in for the DescribeAlgorithm answer."""
    return json.dumps({"name": algorithm.name, "status": algorithm.status}).encode()


def in_a_file(directory: Path) -> Store:
    """The store in one SQLite file."""
    return open_sqlite(directory / "state.sqlite3", describe)


def in_postgres(directory: Path, home: str = "here", patience_seconds: float = 300.0) -> Store:
    """The store in a schema that stands for the directory, as the service of that home has it."""
    member = Member(home=home, host=f"{home}.example", agreed={"test": "yes"}, patience_seconds=patience_seconds)
    return open_postgres(
        read_address(postgres_url()), schema=schema_for(directory), member=member, describe=describe
    )  # fmt: skip


def multiply(directory: Path, count: int) -> None:
    """Of the one algorithm `name-000000` in a PostgreSQL store: so many, a second apart, in one go."""
    session = Session(read_address(postgres_url()), schema_for(directory))
    name = "replace({}, 'name-000000', 'name-' || lpad(number::text, 6, '0'))"
    session.plain(
        f"""INSERT INTO resources (id, kind, name, arn, created_at, modified_at, status, description, unfinished)
        SELECT id + number, kind, {name.format("name")}, {name.format("arn")}, created_at + number,
        modified_at + number, status, description, unfinished FROM resources, generate_series(1, {count - 1}) AS number;
        INSERT INTO documents SELECT id + number, convert_to({name.format("convert_from(document, 'UTF8')")}, 'UTF8'),
        described FROM documents, generate_series(1, {count - 1}) AS number;
        SELECT setval(pg_get_serial_sequence('resources', 'id'), max(id)) FROM resources"""
    )
    session.plain("ANALYZE resources")  # as the server does by itself, sooner or later
    session.close()


STORES: dict[str, OpenStore] = {"sqlite": in_a_file}
if missing_postgres_reason() is None:
    STORES["postgres"] = in_postgres
