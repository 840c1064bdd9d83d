"""A home in files that people can read, as golden data: databases as SQL, everything else as it is."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden" / "homes"
_PASSING = ("sandbox", "cache", "service.lock", "service.json")


def write_golden(home: Path, target: Path, expected: dict[str, Any]) -> None:
    """Write the home of a service that was killed, and what it had shown, into the new directory `target`."""
    for path in sorted(home.rglob("*")):
        relative = path.relative_to(home)
        if relative.parts[0] in _PASSING or not path.is_file() or path.name.endswith(("-wal", "-shm", ".lock", ".pid")):
            continue
        place = target / "home" / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".sqlite3":
            place.with_suffix(".sql").write_text("".join(f"{line}\n" for line in _dump(path)))
        else:
            shutil.copyfile(path, place)
    (target / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True, default=str) + "\n")


def make_home(golden: Path, home: Path) -> dict[str, Any]:
    """Make the home again; what its service had shown."""
    for path in sorted((golden / "home").rglob("*")):
        place = home / path.relative_to(golden / "home")
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        elif path.suffix == ".sql":
            with closing(sqlite3.connect(place.with_suffix(".sqlite3"), isolation_level=None)) as database:
                database.executescript(path.read_text())
        else:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(path, place)
            place.chmod(0o600)
    home.chmod(0o700)
    expected: dict[str, Any] = json.loads((golden / "expected.json").read_text())
    return expected


def _dump(database: Path) -> Iterator[str]:
    """Statements that make the database; what is text inside a BLOB can be read."""
    with closing(sqlite3.connect(database)) as connection:
        yield f"PRAGMA user_version = {connection.execute('PRAGMA user_version').fetchone()[0]};"
        yield "BEGIN;"
        objects = connection.execute(
            "SELECT type, name, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        ).fetchall()
        for _, _, sql in objects:
            yield f"{sql};"
        tables = [name for kind, name, _ in objects if kind == "table"]
        if any("AUTOINCREMENT" in sql for _, _, sql in objects):
            tables.append("sqlite_sequence")
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                yield f"INSERT INTO {table} VALUES ({', '.join(_literal(value) for value in row)});"
        yield "COMMIT;"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return f"X'{value.hex()}'"
        return f"CAST({_literal(text)} AS BLOB)" if text.isprintable() else f"X'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
