"""Tags, by the ARN of a resource that exists; they go with it."""

from collections.abc import Mapping, Sequence

from sagestone.store.database import Connection
from sagestone.store.interface import NotFound


def read_tags(connection: Connection, arn: str) -> dict[str, str] | None:
    """In the order of adding; None: no such resource."""
    rows = connection.execute(
        "SELECT tags.key, tags.value FROM resources LEFT JOIN tags ON tags.resource = resources.id"
        " WHERE arn = ? ORDER BY tags.id",
        (arn,),
    ).fetchall()
    return {key: value for key, value in rows if key is not None} if rows else None


def write_tags(connection: Connection, arn: str, tags: Mapping[str, str], limit: int) -> dict[str, str]:
    """Add or change; a changed one keeps its place. Raises NotFound, or ValueError above `limit`."""
    resource = _resource(connection, arn)
    connection.executemany(
        "INSERT INTO tags (resource, key, value) VALUES (?, ?, ?)"
        " ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value",
        [(resource, key, value) for key, value in tags.items()],
    )
    after = read_tags(connection, arn) or {}
    if len(after) > limit:
        raise ValueError(f"{arn} would have {len(after)} tags; at most {limit} are allowed")
    return after


def delete_tags(connection: Connection, arn: str, keys: Sequence[str]) -> None:
    """Raises NotFound; keys that are not there are no error."""
    resource = _resource(connection, arn)
    connection.executemany("DELETE FROM tags WHERE resource = ? AND key = ?", [(resource, key) for key in keys])


def _resource(connection: Connection, arn: str) -> int:
    row = connection.execute("SELECT id FROM resources WHERE arn = ? /* FOR UPDATE */", (arn,)).fetchone()
    if row is None:
        raise NotFound(f"there is no resource {arn}")
    return int(row[0])
