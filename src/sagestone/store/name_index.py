"""Which names have a text in them, by an index of every three letters: SQLite's full-text search keeps it.

A SQLite that has no such search (before 3.34, or built without FTS5) does without: lists then look at each row.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from sagestone.store.database import Connection

#: More rows than this are not named one by one: where so many match, a walk along the list meets them soon enough.
MOST_FOUND: Final = 1000

#: A column for each kind of resource, so that a search meets the names of its kind only.
_COLUMNS: Final[Mapping[str, str]] = {
    "algorithm": "algorithm",
    "training": "training",
    "transform": "transform",
    "model": "model",
    "model-package": "package",
    "model-package-group": "package_group",
}
_SHORTEST: Final = 3
#: Names of one family begin alike: the end of what is asked for tells it apart, and is looked up sooner than all of it.
_TAIL: Final = 5


def keep_names(connection: sqlite3.Connection, has_trigrams: bool | None = None) -> bool:
    """Make the index, or bring it up to date, where this SQLite can; whether it is there."""
    kept = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    } >= {"names_added", "names_removed"}  # fmt: skip
    if has_trigrams is None:
        has_trigrams = _has_trigrams(connection)
    if kept and has_trigrams:
        return True
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for name in ("names_added", "names_removed"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        if has_trigrams:
            _make(connection)
    return has_trigrams


def find_names(connection: Connection, kind: str, part: str) -> Sequence[int] | None:
    """The ids of rows of that kind whose names may have the text in them, all that do among them; None where it is too
    short to be looked up, or too many have it."""
    if len(part) < _SHORTEST or "\0" in part:
        return None
    for text in dict.fromkeys((part[-_TAIL:], part)):
        phrase = text.replace('"', '""')
        found = connection.execute(
            "SELECT rowid FROM names WHERE names MATCH ? LIMIT ?", (f'{_COLUMNS[kind]} : "{phrase}"', MOST_FOUND + 1)
        ).fetchall()
        if len(found) <= MOST_FOUND:
            return [id_ for (id_,) in found]
    return None


def _has_trigrams(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.trial USING fts5 (word, tokenize = 'trigram case_sensitive 1')")
    except sqlite3.OperationalError:
        return False
    connection.execute("DROP TABLE temp.trial")
    return True


def _make(connection: sqlite3.Connection) -> None:
    columns = ", ".join(_COLUMNS.values())
    connection.execute("DROP TABLE IF EXISTS names")
    connection.execute(
        f"CREATE VIRTUAL TABLE names USING fts5 ({columns}, content = '', columnsize = 0,"
        " tokenize = 'trigram case_sensitive 1')"
    )
    connection.execute(f"INSERT INTO names (rowid, {columns}) SELECT id, {_values('resources')} FROM resources")
    connection.execute(
        "CREATE TRIGGER names_added AFTER INSERT ON resources BEGIN"
        f" INSERT INTO names (rowid, {columns}) VALUES (new.id, {_values('new')}); END"
    )
    connection.execute(
        "CREATE TRIGGER names_removed AFTER DELETE ON resources BEGIN"
        f" INSERT INTO names (names, rowid, {columns}) VALUES ('delete', old.id, {_values('old')}); END"
    )


def _values(row: str) -> str:
    return ", ".join(f"CASE {row}.kind WHEN '{kind}' THEN {row}.name END" for kind in _COLUMNS)
