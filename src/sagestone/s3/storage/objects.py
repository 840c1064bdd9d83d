"""Objects of the embedded store: one row each, naming an immutable blob."""

import sqlite3
from typing import IO, Protocol

import msgspec

from sagestone.s3.storage.blobs import Blobs, NewBlob
from sagestone.s3.storage.content import Content
from sagestone.s3.storage.documents import ALWAYS, Conditions, Description, StoredObject
from sagestone.s3.storage.encryption import Seals
from sagestone.s3.storage.index import Index, Row
from sagestone.s3.storage.refusal import Refusal, no_such_bucket, no_such_key

COLUMNS = "bucket, key, blob, size, etag, modified_at, description"
_description = msgspec.json.Decoder(Description)


class WrittenBlob(Protocol):
    """A blob as a commit needs it; see NewBlob."""

    size: int

    @property
    def name(self) -> str: ...

    @property
    def md5(self) -> bytes: ...

    def sync(self) -> None: ...

    def keep(self) -> None: ...


class Objects:
    """Read, commit and delete objects. A commit is durable when it returns; readers of the old bytes keep them."""

    def __init__(self, index: Index, blobs: Blobs, seals: Seals) -> None:
        self._index = index
        self._blobs = blobs
        self._seals = seals

    def get(self, bucket: str, key: str) -> StoredObject:
        """The object; raises Refusal NoSuchBucket or NoSuchKey."""
        row = self._index.row(f"SELECT {COLUMNS} FROM object WHERE bucket = ? AND key = ?", (bucket, key.encode()))
        if row is not None:
            return stored_object(row)
        if self._index.row("SELECT 1 FROM bucket WHERE name = ?", (bucket,)) is None:
            raise no_such_bucket(bucket)
        raise no_such_key(bucket, key)

    def open(self, bucket: str, key: str) -> tuple[StoredObject, IO[bytes]]:
        """The object and its blob, which belong together whatever is written meanwhile."""
        while True:
            found = self.get(bucket, key)
            try:
                return found, self._blobs.open(found.blob)
            except FileNotFoundError:
                self.check_still(found)

    def content(self, bucket: str, key: str) -> tuple[StoredObject, Content]:
        """The object and its bytes; raises Refusal `KMS.…` where the key that it was encrypted with cannot be used."""
        found, file = self.open(bucket, key)
        return found, Content(file, found, self._seals)

    def link(self, bucket: str, key: str) -> tuple[StoredObject, NewBlob]:
        """The object and a second name for its bytes."""
        while True:
            found = self.get(bucket, key)
            try:
                return found, self._blobs.link(found.blob)
            except FileNotFoundError:
                self.check_still(found)

    def check_still(self, found: StoredObject) -> None:
        """After a blob was not there: return if the object was overwritten meanwhile; else its bytes are lost."""
        if self.get(found.bucket, found.key).blob == found.blob:
            raise FileNotFoundError(
                f"{self._blobs.path(found.blob)}: the bytes of s3://{found.bucket}/{found.key} are missing; the "
                "store's directory was changed from outside. Delete or upload the object again."
            )

    def commit(
        self,
        bucket: str,
        key: str,
        blob: WrittenBlob,
        *,
        description: Description,
        now: float,
        etag: str = "",
        conditions: Conditions = ALWAYS,
    ) -> StoredObject:
        """Make a written blob the object of that name; its ETag is the MD5 of what was written unless given.

        Raises Refusal NoSuchBucket, PreconditionFailed, NoSuchKey (If-Match on nothing).
        """
        fresh = StoredObject(
            bucket=bucket,
            key=key,
            blob=blob.name,
            size=blob.size,
            etag=etag or blob.md5.hex(),
            modified_at=now,
            description=description,
        )
        blob.sync()
        old = self._index.write(lambda connection: put_row(connection, fresh, conditions))
        blob.keep()
        if old:
            self._blobs.remove(old)
        return fresh

    def delete(self, bucket: str, key: str, conditions: Conditions = ALWAYS) -> None:
        """Delete the object; nothing happens when it is not there. Raises Refusal NoSuchBucket."""
        self.delete_many(bucket, [key], conditions)

    def delete_many(self, bucket: str, keys: list[str], conditions: Conditions = ALWAYS) -> None:
        """Delete the objects in one transaction."""

        def work(connection: sqlite3.Connection) -> list[str]:
            check_bucket(connection, bucket)
            gone = []
            for key in keys:
                name = (bucket, key.encode())
                row = connection.execute("SELECT blob, etag FROM object WHERE bucket = ? AND key = ?", name).fetchone()
                check_conditions(bucket, key, row and row[1], conditions)
                if row is not None:
                    connection.execute("DELETE FROM object WHERE bucket = ? AND key = ?", name)
                    gone.append(row[0])
            return gone

        for blob in self._index.write(work):
            self._blobs.remove(blob)


def put_row(connection: sqlite3.Connection, fresh: StoredObject, conditions: Conditions) -> str | None:
    """Write the row inside a transaction; the blob that it replaces, if any."""
    check_bucket(connection, fresh.bucket)
    key = fresh.key.encode()
    row = connection.execute(
        "SELECT blob, etag FROM object WHERE bucket = ? AND key = ?", (fresh.bucket, key)
    ).fetchone()
    check_conditions(fresh.bucket, fresh.key, row and row[1], conditions)
    connection.execute(
        f"INSERT OR REPLACE INTO object ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            fresh.bucket,
            key,
            fresh.blob,
            fresh.size,
            fresh.etag,
            fresh.modified_at,
            msgspec.json.encode(fresh.description),
        ),
    )
    return row[0] if row else None


def check_bucket(connection: sqlite3.Connection, bucket: str) -> None:
    """Raise Refusal NoSuchBucket inside a transaction."""
    if connection.execute("SELECT 1 FROM bucket WHERE name = ?", (bucket,)).fetchone() is None:
        raise no_such_bucket(bucket)


def check_conditions(bucket: str, key: str, etag: str | None, conditions: Conditions) -> None:
    """Compare what is there (its ETag; None: nothing) with what must hold."""
    if conditions.if_none_match and etag is not None:
        raise Refusal(
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold: the object exists.",
            Condition="If-None-Match",
        )
    if conditions.if_match is not None:
        if etag is None:
            raise no_such_key(bucket, key)
        if conditions.if_match not in ("*", etag):
            raise Refusal(
                "PreconditionFailed",
                f"At least one of the pre-conditions you specified did not hold: the ETag of the object is {etag}.",
                Condition="If-Match",
            )


def stored_object(row: Row) -> StoredObject:
    """From a row of COLUMNS."""
    return StoredObject(
        bucket=row[0],
        key=row[1].decode(),
        blob=row[2],
        size=row[3],
        etag=row[4],
        modified_at=row[5],
        description=_description.decode(row[6]),
    )
