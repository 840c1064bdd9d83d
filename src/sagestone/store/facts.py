"""What a database says of itself: the key of its tokens, and for which version its answers were made."""

from sagestone.store import rows
from sagestone.store.database import Connection, Database


def read_fact(connection: Connection, name: str) -> bytes | None:
    """The fact of that name, if there is one."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def describe_anew(database: Database, describe: rows.Describe, version: str) -> None:
    """Make every stored DescribeAlgorithm answer anew where another version than this one made them."""
    wanted = version.encode()
    if read_fact(database.reader(), "describe_version") == wanted:
        return

    def renew(connection: Connection) -> None:
        rows.redescribe(connection, describe)
        connection.execute(
            "INSERT INTO facts (name, value) VALUES ('describe_version', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (wanted,),
        )

    database.write(renew)
