"""The tables in PostgreSQL: made once by whoever comes first, brought up to date with everything in them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from sagestone.domain.algorithm import Algorithm
from sagestone.domain.training_job import TrainingJob
from sagestone.domain.transition import new_training_job
from sagestone.store.interface import ListQuery, Store, StoreUnavailable
from sagestone.store.migrations import NewerDatabase
from sagestone.store.postgres.address import read_address
from sagestone.store.postgres.migrations import STEPS, migrate
from sagestone.store.postgres.session import Session
from tests.contract.stores import in_postgres
from tests.documents import algorithm, training_spec
from tests.postgres import postgres_url, schema_for

pytestmark = pytest.mark.postgres


def session_in(place: Path) -> Session:
    return Session(read_address(postgres_url()), schema_for(place))


def open_at(place: Path, step: int) -> Session:
    """A new schema as the version with so many steps made it."""
    session = session_in(place)
    session.plain(f'CREATE SCHEMA "{schema_for(place)}"')
    session.plain("CREATE TABLE migrations (step BIGINT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)")
    for number, statements in enumerate(STEPS[:step], start=1):
        session.plain(";\n".join((*statements, f"INSERT INTO migrations VALUES ({number}, now())")))
    return session


def add(session: Session, kind: str, document: Algorithm | TrainingJob) -> None:
    named = document if isinstance(document, Algorithm) else document.spec
    ((id_,),) = session.execute(
        "INSERT INTO resources (kind, name, arn, created_at, modified_at, status, unfinished)"
        " VALUES (?, ?, ?, 1, 1, ?, 1) RETURNING id",
        (kind, named.name, named.arn, document.status),
    )
    session.execute("INSERT INTO documents VALUES (?, ?, NULL)", (id_, msgspec.json.encode(document)))


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_everything_is_there_after_every_older_version(tmp_path: Path, step: int) -> None:
    job = new_training_job(training_spec(), 1000.0)
    session = open_at(tmp_path, step)
    ((key,),) = session.execute("SELECT value FROM facts WHERE name = 'token_key'")
    add(session, "algorithm", algorithm("a"))
    add(session, "training", job)
    session.close()
    store = in_postgres(tmp_path)
    assert store.algorithm("a") == algorithm("a")
    assert store.training_job("job") == job
    assert store.unfinished_jobs() == ["training/job"]
    assert store.algorithm_document("a") is not None
    store.add_algorithm(algorithm("b"), {})
    assert [row.name for row in store.list_algorithms(ListQuery(sort_by="Name")).rows] == ["a", "b"]
    store.close()
    session = session_in(tmp_path)
    assert session.execute("SELECT value FROM facts WHERE name = 'token_key'").fetchall() == [(key,)]
    assert session.execute("SELECT max(step), count(*) FROM migrations").fetchall() == [(len(STEPS), len(STEPS))]
    session.close()
    assert len(key) == 32


def test_of_many_who_start_at_once_one_makes_the_tables(tmp_path: Path) -> None:
    def start(number: int) -> Store:
        return in_postgres(tmp_path, home=f"home{number}")

    with ThreadPoolExecutor(5) as pool:
        stores = list(pool.map(start, range(5)))
    stores[0].add_algorithm(algorithm("a"), {})
    assert all(store.algorithm("a") == algorithm("a") for store in stores)
    for store in stores:
        store.close()


def test_a_newer_database_is_refused_with_a_way_out(tmp_path: Path) -> None:
    in_postgres(tmp_path).close()
    session = session_in(tmp_path)
    session.plain(f"INSERT INTO migrations VALUES ({len(STEPS) + 1}, now())")
    session.close()
    with pytest.raises(NewerDatabase, match="start that version, or use another database"):
        in_postgres(tmp_path)


def test_a_step_waits_for_the_end_of_services_of_older_versions(tmp_path: Path) -> None:
    address, schema = read_address(postgres_url()), schema_for(tmp_path)
    older = in_postgres(tmp_path, home="older")
    steps = (*STEPS, ("CREATE TABLE later (id BIGINT)",))
    with pytest.raises(StoreUnavailable, match=r"older version on older\.example: stop it"):
        migrate(address, schema, "newer", steps)
    older.close()
    migrate(address, schema, "older", steps)  # the same home, of the new version
    session = session_in(tmp_path)
    assert session.execute("SELECT count(*) FROM later").fetchall() == [(0,)]
    session.close()


def test_a_step_is_whole(tmp_path: Path) -> None:
    in_postgres(tmp_path).close()
    steps = (*STEPS, ("CREATE TABLE later (id BIGINT)", "SELECT 1 / 0"))
    with pytest.raises(Exception, match="division by zero"):
        migrate(read_address(postgres_url()), schema_for(tmp_path), "here", steps)
    session = session_in(tmp_path)
    assert session.execute("SELECT to_regclass('later') IS NULL").fetchall() == [(True,)]
    session.close()
    in_postgres(tmp_path).close()
