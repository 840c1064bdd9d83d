"""Pages of a list: the rows after a position, by an index, at a cost that does not grow with the table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagestone.store.database import Connection, Database
from sagestone.store.interface import ListQuery
from sagestone.store.name_index import find_names
from sagestone.store.tokens import Position, make_token, read_token

#: Rows that one page looks at. A filter that few rows pass gives a short page with a token, as the service's own
#: lists do, rather than a request that takes longer the more there is.
SCAN_LIMIT = 10_000

_COLUMNS = (
    "id", "name", "arn", "created_at", "modified_at", "ended_at", "status", "secondary_status", "failure_reason",
    "description", "parent", "warm_pool",
)  # fmt: skip

#: The columns that a page is sorted and continued by; each list of them has an index that begins with the kind.
_SORT_KEYS: dict[str, tuple[str, ...]] = {
    "Name": ("name",),
    "CreationTime": ("created_at", "id"),
    "Status": ("status", "created_at", "id"),
}


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row of `resources` as lists need it."""

    name: str
    arn: str
    created_at: float
    modified_at: float
    ended_at: float | None
    status: str
    secondary_status: str | None
    failure_reason: str | None
    description: str | None
    parent: int | None
    warm_pool: str | None


def list_rows(database: Database, token_key: bytes, kind: str, query: ListQuery) -> tuple[list[ListedRow], str | None]:
    """The rows of one page and the token of the next; raises BadToken."""
    connection, keys = database.reader(), _sort_keys(query)
    after = read_token(token_key, kind, query, query.token) if query.token else None
    named = find_names(connection, kind, query.name_contains) if query.name_contains and database.finds_names else None
    walked, walked_values = _walk(kind, query, keys, after, named)
    wanted, wanted_values = _filters(query)
    chosen = f"SELECT {', '.join(_COLUMNS)} FROM ({walked} LIMIT {SCAN_LIMIT}) AS walked WHERE {wanted}"
    found = connection.execute(
        f"{chosen if wanted_values else walked} LIMIT ?", (*walked_values, *wanted_values, query.limit + 1)
    ).fetchall()
    page = found[: query.limit]
    position: Position | None = None
    if len(found) > query.limit:
        position = _position(page[-1], keys)
    elif wanted_values and named is None:
        position = _end_of_scan(connection, walked, walked_values, keys)
    token = make_token(token_key, kind, query, position) if position is not None else None
    return [ListedRow(*row[1:]) for row in page], token


def _sort_keys(query: ListQuery) -> tuple[str, ...]:
    keys = _SORT_KEYS[query.sort_by]
    # One status only: it is the same in every row, and the index goes on with the rest.
    return keys[1:] if keys[0] == "status" and query.status is not None else keys


def _walk(
    kind: str, query: ListQuery, keys: tuple[str, ...], after: Position | None, named: Sequence[int] | None
) -> tuple[str, list[Any]]:
    """The SELECT that goes along an index: kind, status and the bounds of the sort key, which cost nothing. Or along
    the rows whose ids are known to be all that count."""
    conditions, values = ["kind = ?"], list[Any]((kind,))
    table = "resources"
    if named is not None:  # joined so that they are gone through first, whatever indexes promise
        table = "(SELECT value FROM json_each(?)) AS named CROSS JOIN resources ON resources.id = named.value"
        values.insert(0, json.dumps(named))
    if query.status is not None:
        conditions.append("status = ?")
        values.append(query.status)
    if query.group is not None:
        conditions.append("parent = (SELECT id FROM resources WHERE kind = 'model-package-group' AND name = ?)")
        values.append(query.group)
    if keys[0] == "created_at":
        if query.created_after is not None:
            conditions.append("created_at > ?")
            values.append(query.created_after)
        if query.created_before is not None:
            conditions.append("created_at < ?")
            values.append(query.created_before)
    if after is not None:
        comparison = ">" if query.ascending else "<"
        conditions.append(f"({', '.join(keys)}) {comparison} ({', '.join('?' * len(keys))})")
        values.extend(after)
    order = ", ".join(f"{key} {'ASC' if query.ascending else 'DESC'}" for key in keys)
    return f"SELECT {', '.join(_COLUMNS)} FROM {table} WHERE {' AND '.join(conditions)} ORDER BY {order}", values


def _filters(query: ListQuery) -> tuple[str, list[Any]]:
    """What each row that was walked over must pass."""
    tests = [
        # The version of a model package is no part of its name.
        (
            "instr(CASE WHEN parent IS NULL THEN name ELSE substr(name, 1, instr(name, '/') - 1) END, ?) > 0",
            query.name_contains,
        ),
        ("secondary_status = ?", query.secondary_status),
        ("(parent IS NOT NULL) = ?", query.grouped),
        ("created_at > ?", query.created_after),
        ("created_at < ?", query.created_before),
        ("modified_at > ?", query.modified_after),
        ("modified_at < ?", query.modified_before),
        ("warm_pool = ?", query.warm_pool),
    ]
    used = [(test, value) for test, value in tests if value is not None]
    return " AND ".join(["true", *(test for test, _ in used)]), [value for _, value in used]


def _end_of_scan(connection: Connection, walked: str, values: list[Any], keys: tuple[str, ...]) -> Position | None:
    """Where the scan stopped, when there is more behind it."""
    last = connection.execute(f"{walked} LIMIT 2 OFFSET {SCAN_LIMIT - 1}", values).fetchall()
    return _position(last[0], keys) if len(last) == 2 else None


def _position(row: tuple[Any, ...], keys: tuple[str, ...]) -> Position:
    return [row[_COLUMNS.index(key)] for key in keys]
