"""Multipart uploads of the embedded store: parts in any order; the object changes only at the end, at once."""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import msgspec

from sagestone.s3.storage.blobs import Blobs, NewBlob
from sagestone.s3.storage.documents import (
    ALWAYS,
    ChecksumType,
    Conditions,
    Description,
    Part,
    StoredObject,
    Upload,
)
from sagestone.s3.storage.encryption import Seals
from sagestone.s3.storage.index import Index, Row
from sagestone.s3.storage.objects import WrittenBlob, check_bucket, put_row
from sagestone.s3.storage.pages import successor
from sagestone.s3.storage.refusal import no_such_upload
from sagestone.s3.storage.segments import SealedBytes

_UPLOAD = "bucket, key, id, begun_at, description, checksum_algorithm, checksum_type"
_PART = "number, blob, size, etag, modified_at, checksums"

#: Reads the bytes of the parts one after the other.
Joined = Callable[[], Iterator[bytes]]


class Uploads:
    """Begin, fill, list, complete and abort multipart uploads; each change is durable when its call returns."""

    def __init__(self, index: Index, blobs: Blobs, seals: Seals) -> None:
        self._index = index
        self._blobs = blobs
        self._seals = seals

    def begin(
        self,
        bucket: str,
        key: str,
        *,
        description: Description,
        now: float,
        checksum_algorithm: str = "",
        checksum_type: ChecksumType = "COMPOSITE",
    ) -> Upload:
        """A new upload; raises Refusal NoSuchBucket."""
        upload = Upload(
            id=secrets.token_urlsafe(32),
            bucket=bucket,
            key=key,
            begun_at=now,
            description=description,
            checksum_algorithm=checksum_algorithm,
            checksum_type=checksum_type,
        )

        def work(connection: sqlite3.Connection) -> None:
            check_bucket(connection, bucket)
            connection.execute(
                f"INSERT INTO upload ({_UPLOAD}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    bucket,
                    key.encode(),
                    upload.id,
                    now,
                    msgspec.json.encode(description),
                    checksum_algorithm,
                    checksum_type,
                ),
            )

        self._index.write(work)
        return upload

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        """The upload; raises Refusal NoSuchUpload."""
        row = self._index.row(
            f"SELECT {_UPLOAD} FROM upload WHERE bucket = ? AND key = ? AND id = ?", (bucket, key.encode(), upload_id)
        )
        if row is None:
            raise no_such_upload(upload_id)
        return _upload(row)

    def put_part(
        self, upload: Upload, number: int, blob: WrittenBlob, *, checksums: dict[str, str], now: float
    ) -> Part:
        """Make a written blob part `number`, in place of an earlier one; raises Refusal NoSuchUpload."""
        part = Part(
            number=number, blob=blob.name, size=blob.size, etag=blob.md5.hex(), modified_at=now, checksums=checksums
        )
        blob.sync()

        def work(connection: sqlite3.Connection) -> str | None:
            _check_there(connection, upload)
            row = connection.execute(
                "SELECT blob FROM part WHERE upload = ? AND number = ?", (upload.id, number)
            ).fetchone()
            connection.execute(
                f"INSERT OR REPLACE INTO part (upload, {_PART}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (upload.id, number, part.blob, part.size, part.etag, now, msgspec.json.encode(checksums)),
            )
            return row[0] if row else None

        old = self._index.write(work)
        blob.keep()
        if old:
            self._blobs.remove(old)
        return part

    def parts(self, upload: Upload, after: int = 0, limit: int = -1) -> list[Part]:
        """The parts by number."""
        rows = self._index.rows(
            f"SELECT {_PART} FROM part WHERE upload = ? AND number > ? ORDER BY number LIMIT ?",
            (upload.id, after, limit),
        )
        return [_part(row) for row in rows]

    def under(self, bucket: str, prefix: str) -> Iterator[Upload]:
        """Unfinished uploads with that key prefix, by key, then id."""
        start, end = prefix.encode(), successor(prefix.encode())
        for row in self._index.rows(
            f"SELECT {_UPLOAD} FROM upload WHERE bucket = ? AND key >= ? ORDER BY key, id", (bucket, start)
        ):
            if end is not None and row[1] >= end:
                return
            yield _upload(row)

    def all(self) -> list[Upload]:
        """Every unfinished upload."""
        return [_upload(row) for row in self._index.rows(f"SELECT {_UPLOAD} FROM upload ORDER BY bucket, key, id")]

    def complete(
        self,
        upload: Upload,
        parts: Sequence[Part],
        *,
        now: float,
        describe: Callable[[Joined], Description],
        conditions: Conditions = ALWAYS,
    ) -> StoredObject:
        """Join the parts (in their order) to the object and end the upload; parts that are not named are dropped.

        `describe` may read the joined bytes. Raises Refusal NoSuchUpload, PreconditionFailed; the upload then goes on.
        """
        with self._joined(parts) as blob:
            fresh = StoredObject(
                bucket=upload.bucket,
                key=upload.key,
                blob=blob.name,
                size=sum(part.size for part in parts),
                etag=joined_etag(parts),
                modified_at=now,
                description=self._described(upload, parts, blob, describe),
            )
            blob.sync()

            def work(connection: sqlite3.Connection) -> list[str]:
                _check_there(connection, upload)
                old = put_row(connection, fresh, conditions)
                return [*_drop(connection, upload), *([old] if old else [])]

            gone = self._index.write(work)
            blob.keep()
        for name in gone:
            self._blobs.remove(name)
        return fresh

    def abort(self, upload: Upload) -> None:
        """End the upload without an object; raises Refusal NoSuchUpload."""

        def work(connection: sqlite3.Connection) -> list[str]:
            _check_there(connection, upload)
            return _drop(connection, upload)

        for name in self._index.write(work):
            self._blobs.remove(name)

    def _described(
        self, upload: Upload, parts: Sequence[Part], blob: NewBlob, describe: Callable[[Joined], Description]
    ) -> Description:
        """The description; parts that were encrypted are the segments of the object, each sealed for itself."""
        encryption = upload.description.encryption
        if encryption is None:
            return describe(blob.pieces)
        segments = tuple(part.size for part in parts)

        def pieces() -> Iterator[bytes]:
            data_key = self._seals.again(encryption, upload.bucket, upload.key).data_key
            return SealedBytes(blob.descriptor, data_key, segments).pieces(0, sum(segments))

        return replace(describe(pieces), encryption=replace(encryption, segments=segments))

    def _joined(self, parts: Sequence[Part]) -> NewBlob:
        if len(parts) == 1:
            return self._blobs.link(parts[0].blob)
        blob = self._blobs.create()
        try:
            for part in parts:
                with self._blobs.open(part.blob) as file:
                    blob.append_file(file.fileno(), os.fstat(file.fileno()).st_size)
        except BaseException:
            blob.close()
            raise
        return blob


def joined_etag(parts: Sequence[Part]) -> str:
    """S3's ETag of a multipart object: the MD5 of the parts' MD5s and their number."""
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _upload(row: Row) -> Upload:
    return Upload(
        bucket=row[0],
        key=row[1].decode(),
        id=row[2],
        begun_at=row[3],
        description=msgspec.json.decode(row[4], type=Description),
        checksum_algorithm=row[5],
        checksum_type=row[6],
    )


def _part(row: Row) -> Part:
    return Part(
        number=row[0],
        blob=row[1],
        size=row[2],
        etag=row[3],
        modified_at=row[4],
        checksums=msgspec.json.decode(row[5], type=dict[str, str]),
    )


def _check_there(connection: sqlite3.Connection, upload: Upload) -> None:
    found = connection.execute(
        "SELECT 1 FROM upload WHERE bucket = ? AND key = ? AND id = ?", (upload.bucket, upload.key.encode(), upload.id)
    ).fetchone()
    if found is None:
        raise no_such_upload(upload.id)


def _drop(connection: sqlite3.Connection, upload: Upload) -> list[str]:
    blobs = [row[0] for row in connection.execute("SELECT blob FROM part WHERE upload = ?", (upload.id,))]
    connection.execute("DELETE FROM part WHERE upload = ?", (upload.id,))
    connection.execute(
        "DELETE FROM upload WHERE bucket = ? AND key = ? AND id = ?", (upload.bucket, upload.key.encode(), upload.id)
    )
    return blobs
