"""The index of names in a SQLite file: it follows what is kept, whatever this or another SQLite could do meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sagestone.domain.transition import new_training_job
from sagestone.store.connections import open_writer
from sagestone.store.interface import ListQuery, Store
from sagestone.store.name_index import MOST_FOUND, find_names, keep_names
from sagestone.store.sqlite_database import open_sqlite
from tests.contract.stores import describe
from tests.documents import algorithm, training_spec


def test_it_has_the_names_of_each_kind_by_any_part(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "state.sqlite3", describe)
    store.add_algorithm(algorithm("red-trees"), {})
    store.add_algorithm(algorithm("Red-forest"), {})
    store.add_job(new_training_job(training_spec("red-trees-first-1"), 1.0), {})
    assert _found(store, "red") == ["red-trees"]
    assert _found(store, "ed-") == ["red-trees", "Red-forest"]
    assert _found(store, "-trees-") == []
    assert [row.name for row in store.list_training_jobs(ListQuery(name_contains="trees-f")).rows] == [
        "red-trees-first-1"
    ]
    store.remove_algorithm("red-trees")
    assert _found(store, "ed-") == ["Red-forest"]
    store.close()
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM names WHERE names MATCH 'red'").fetchone() == (1,)  # the job's


@pytest.mark.parametrize("text", ["ab", "a\0bcd", ""])
def test_what_cannot_be_looked_up_is_left_to_the_walk(tmp_path: Path, text: str) -> None:
    store = open_sqlite(tmp_path / "state.sqlite3", describe)
    store.add_algorithm(algorithm("abcd"), {})
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        assert find_names(connection, "algorithm", text) is None
    assert _found(store, text) == ([] if "\0" in text else ["abcd"])
    store.close()


def test_very_many_are_not_named(tmp_path: Path) -> None:
    with closing(_with_rows(tmp_path / "state.sqlite3", MOST_FOUND + 1)) as connection:
        assert find_names(connection, "algorithm", "name-") is None
        assert find_names(connection, "training", "name-") == []
        assert find_names(connection, "algorithm", "00099") == [100, *range(991, 1001)]
        connection.execute("DELETE FROM resources WHERE id = 1")
        assert len(find_names(connection, "algorithm", "name-") or ()) == MOST_FOUND


def test_a_file_that_a_lesser_sqlite_had_meanwhile_gets_it_anew(tmp_path: Path) -> None:
    with closing(_with_rows(tmp_path / "state.sqlite3", 3)) as connection:
        assert not keep_names(connection, has_trigrams=False)
        connection.execute("DELETE FROM resources WHERE id = 1")
        _add_rows(connection, range(3, 5))
        assert keep_names(connection)
        assert find_names(connection, "algorithm", "name-") == [2, 3, 4, 5]
        connection.execute("DELETE FROM resources WHERE id = 5")
        assert find_names(connection, "algorithm", "name-") == [2, 3, 4]
        assert keep_names(connection)


def _found(store: Store, part: str) -> list[str]:
    return [row.name for row in store.list_algorithms(ListQuery(name_contains=part or None)).rows]


def _with_rows(path: Path, count: int) -> sqlite3.Connection:
    open_sqlite(path, describe).close()
    connection = open_writer(path)
    _add_rows(connection, range(count))
    return connection


def _add_rows(connection: sqlite3.Connection, numbers: range) -> None:
    connection.executemany(
        "INSERT INTO resources (kind, name, arn, created_at, modified_at, status, unfinished)"
        " VALUES ('algorithm', ?1, ?1, 1, 1, 'Pending', 0)",
        [(f"name-{number:06}",) for number in numbers],
    )
