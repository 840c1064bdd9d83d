"""Listings in UTF-8 byte order, page by page, as range scans of the index."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.index import Index, Row
from sagestone.s3.storage.objects import COLUMNS, stored_object
from sagestone.s3.storage.refusal import no_such_bucket

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page: items and common prefixes, in one byte order; `last` is where the next page goes on (None: the end)."""

    items: tuple[Item, ...]
    prefixes: tuple[str, ...]
    last: str | None


def list_objects(
    index: Index, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
) -> Page[StoredObject]:
    """Up to `limit` objects and common prefixes after the key (or common prefix) `after`; raises NoSuchBucket."""

    def work(connection: sqlite3.Connection) -> Page[StoredObject]:
        if connection.execute("SELECT 1 FROM bucket WHERE name = ?", (bucket,)).fetchone() is None:
            raise no_such_bucket(bucket)
        found: list[StoredObject] = []
        prefixes: list[str] = []
        last = after
        wanted = prefix.encode()
        cut = delimiter.encode()
        for folded, row in _scan(connection, bucket, wanted, cut, after.encode(), limit + 1):
            if len(found) + len(prefixes) >= limit:
                return Page(items=tuple(found), prefixes=tuple(prefixes), last=last)
            if folded:
                last = folded.decode()
                prefixes.append(last)
            else:
                found.append(stored_object(row))
                last = found[-1].key
        return Page(items=tuple(found), prefixes=tuple(prefixes), last=None)

    return index.read(work)


def _scan(
    connection: sqlite3.Connection, bucket: str, prefix: bytes, delimiter: bytes, after: bytes, limit: int
) -> Iterator[tuple[bytes, Row]]:
    """(common prefix, its first row) or (b"", row), in order; each common prefix once, skipping what it holds.

    Ends after `limit` rows that do not fold: nobody asks for more.
    """
    end = successor(prefix)
    start = first_key(prefix, delimiter, after)
    while start is not None:
        skip_to: bytes | None = None
        upper = "" if end is None else " AND key < ?"
        parameters = (bucket, start) if end is None else (bucket, start, end)
        query = f"SELECT {COLUMNS} FROM object WHERE bucket = ? AND key >= ?{upper} ORDER BY key LIMIT {limit}"
        for row in connection.execute(query, parameters):
            folded = common_prefix(row[1], prefix, delimiter)
            yield folded, row
            if folded:
                skip_to = successor(folded)
                break
        start = skip_to


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes:
    """What a key folds into: up to and with the first delimiter after the prefix; b"" when it does not fold."""
    if not delimiter:
        return b""
    at = key.find(delimiter, len(prefix))
    return b"" if at < 0 else key[: at + len(delimiter)]


def first_key(prefix: bytes, delimiter: bytes, after: bytes) -> bytes | None:
    """The smallest key that a listing after the item `after` may begin with; a common prefix is passed as a whole."""
    if not after or after < prefix:
        return prefix
    if after.startswith(prefix) and common_prefix(after, prefix, delimiter) == after:
        return successor(after)
    return after + b"\0"


def successor(prefix: bytes) -> bytes | None:
    """The smallest bytes above everything with this prefix; None when there is none (an empty prefix)."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
