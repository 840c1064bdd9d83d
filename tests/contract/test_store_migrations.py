"""A database of an older version is brought up to date, and everything in it stays readable."""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.transform_job import TransformJob
from sagestone.domain.transition import new_transform_job
from sagestone.store.interface import ListQuery
from sagestone.store.migrations import STEPS
from sagestone.store.sqlite_database import open_sqlite
from tests.contract.stores import describe
from tests.documents import algorithm, plan, transform_spec


def with_one_container(spec: dict[str, Any]) -> None:
    """A transform job's specification as the first version wrote it."""
    (container,) = spec.pop("containers")
    spec["image"], spec["model_uri"] = container["image"], container["model_uri"]
    spec["container_environment"] = container["environment"]


def open_at(path: Path, step: int) -> sqlite3.Connection:
    """A new database as the version with so many steps made it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE migrations (step INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)")
    for number, statements in enumerate(STEPS[:step], start=1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, 'then')", (number,))
    return connection


def add(connection: sqlite3.Connection, kind: str, document: Algorithm | TransformJob, old: dict[str, Any]) -> None:
    name, arn = (document.name, document.arn) if isinstance(document, Algorithm) else ("job", document.spec.arn)
    connection.execute(
        "INSERT INTO resources (kind, name, arn, created_at, modified_at, status, unfinished) VALUES (?,?,?,1,1,?,1)",
        (kind, name, arn, document.status),
    )
    connection.execute("INSERT INTO documents VALUES (last_insert_rowid(), ?, NULL)", (msgspec.json.encode(old),))


def test_transform_jobs_and_plans_of_one_container_get_a_list_of_containers(tmp_path: Path) -> None:
    job = new_transform_job(transform_spec(), 1001.5)
    planned, without_transform = algorithm("a", plan=plan()), algorithm("b", plan=plan(transform=False))
    connection = open_at(tmp_path / "state.sqlite3", 1)
    old = msgspec.to_builtins(job)
    with_one_container(old["spec"])
    add(connection, "transform", job, old)
    old = msgspec.to_builtins(planned)
    with_one_container(old["plan"]["transform"])
    add(connection, "algorithm", planned, old)
    add(connection, "algorithm", without_transform, msgspec.to_builtins(without_transform))
    add(connection, "algorithm", algorithm("c"), msgspec.to_builtins(algorithm("c")))
    connection.close()
    store = open_sqlite(tmp_path / "state.sqlite3", describe)
    assert store.transform_job("job") == job
    assert [store.algorithm(name) for name in "abc"] == [planned, without_transform, algorithm("c")]
    store.close()


@pytest.mark.parametrize("step", range(2, len(STEPS) + 1))
def test_everything_is_there_after_every_older_version(tmp_path: Path, step: int) -> None:
    job = new_transform_job(transform_spec(), 1001.5)
    connection = open_at(tmp_path / "state.sqlite3", step)
    (key,) = connection.execute("SELECT value FROM facts WHERE name = 'token_key'").fetchone()
    add(connection, "transform", job, msgspec.to_builtins(job))
    add(connection, "algorithm", algorithm("a"), msgspec.to_builtins(algorithm("a")))
    connection.execute("INSERT INTO tags (resource, key, value) SELECT id, 'k', 'v' FROM resources WHERE name = 'a'")
    connection.close()
    store = open_sqlite(tmp_path / "state.sqlite3", describe)
    assert store.transform_job("job") == job
    assert store.algorithm("a") == algorithm("a")
    assert store.algorithm_document("a") == describe(algorithm("a"))
    assert store.tags(algorithm("a").arn) == {"k": "v"}
    assert store.unfinished_jobs() == ["transform/job"]
    store.add_algorithm(algorithm("b"), {})
    assert [row.name for row in store.list_algorithms(ListQuery(sort_by="Name")).rows] == ["a", "b"]
    store.close()
    connection = sqlite3.connect(tmp_path / "state.sqlite3")
    assert connection.execute("SELECT value FROM facts WHERE name = 'token_key'").fetchone() == (key,)
    assert connection.execute("SELECT max(step), count(*) FROM migrations").fetchone() == (len(STEPS), len(STEPS))
    connection.close()
