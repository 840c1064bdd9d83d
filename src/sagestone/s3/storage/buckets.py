"""Buckets of the embedded store."""

import re
import sqlite3

import msgspec

from sagestone.s3.storage.documents import Bucket, WantedEncryption
from sagestone.s3.storage.index import Index, Row
from sagestone.s3.storage.refusal import Refusal, no_such_bucket

_BUCKET = "name, region, created_at, owner, encryption"
_encryption = msgspec.json.Decoder(WantedEncryption)


def check_bucket_name(name: str) -> None:
    """Refuse a name against S3's rules for general purpose buckets, with the rule that it breaks."""
    reason = ""
    if not 3 <= len(name) <= 63:
        reason = "a bucket name has 3 to 63 characters"
    elif not re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", name):
        reason = "lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit"
    elif ".." in name:
        reason = "two dots may not be adjacent"
    elif re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name):
        reason = "it may not look like an IP address"
    elif name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(
        ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
    ):
        reason = "its beginning or end is reserved"
    if reason:
        raise Refusal("InvalidBucketName", f"The specified bucket is not valid: {reason}.", BucketName=name)


class Buckets:
    """Create, find, list and delete buckets; each change is durable when its call returns."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def create(self, name: str, region: str, now: float, owner: str = "") -> bool:
        """Whether the bucket was made now; False when it was there before. `owner` is an account, "" the home's own."""
        check_bucket_name(name)

        def work(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO bucket (name, region, created_at, owner) VALUES (?, ?, ?, ?)",
                (name, region, now, owner),
            )
            return cursor.rowcount == 1

        return self._index.write(work)

    def get(self, name: str) -> Bucket:
        """The bucket; raises Refusal NoSuchBucket."""
        row = self._index.row(f"SELECT {_BUCKET} FROM bucket WHERE name = ?", (name,))
        if row is None:
            raise no_such_bucket(name)
        return _bucket(row)

    def all(self, prefix: str = "", after: str = "", limit: int = -1, owner: str = "") -> list[Bucket]:
        """The buckets of one owner, by name."""
        rows = self._index.rows(
            f"SELECT {_BUCKET} FROM bucket WHERE name > ? AND substr(name, 1, ?) = ? AND owner = ? "
            "ORDER BY name LIMIT ?",
            (after, len(prefix), prefix, owner, limit),
        )
        return [_bucket(row) for row in rows]

    def set_encryption(self, name: str, encryption: WantedEncryption | None) -> None:
        """What becomes of objects that ask for no encryption; None: nothing. Raises Refusal NoSuchBucket."""
        document = None if encryption is None else msgspec.json.encode(encryption)

        def work(connection: sqlite3.Connection) -> None:
            cursor = connection.execute("UPDATE bucket SET encryption = ? WHERE name = ?", (document, name))
            if cursor.rowcount == 0:
                raise no_such_bucket(name)

        self._index.write(work)

    def delete(self, name: str) -> None:
        """Delete an empty bucket; raises Refusal NoSuchBucket or BucketNotEmpty."""

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM bucket WHERE name = ?", (name,)).fetchone() is None:
                raise no_such_bucket(name)
            for table in ("object", "upload"):
                if connection.execute(f"SELECT 1 FROM {table} WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                    what = "objects" if table == "object" else "unfinished multipart uploads"
                    raise Refusal(
                        "BucketNotEmpty",
                        f"The bucket you tried to delete is not empty: it holds {what}.",
                        BucketName=name,
                    )
            connection.execute("DELETE FROM bucket WHERE name = ?", (name,))

        self._index.write(work)


def _bucket(row: Row) -> Bucket:
    encryption = None if row[4] is None else _encryption.decode(row[4])
    return Bucket(name=row[0], region=row[1], created_at=row[2], owner=row[3], encryption=encryption)
