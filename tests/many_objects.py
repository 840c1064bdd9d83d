"""Many objects of a few bytes at once, for tests that need a large prefix: made as rows that share their blobs."""

from collections.abc import Sequence
from pathlib import Path

from sagestone.s3.storage import open_storage
from sagestone.s3.storage.documents import ALWAYS, Description, StoredObject
from sagestone.s3.storage.objects import put_row

CONTENT = b"one of many"
_SHARED_BY = 1000  # a file system has a limit for the names of one file


def add_objects(store: Path, bucket: str, keys: Sequence[str]) -> None:
    """Add objects with CONTENT to the embedded store of a directory."""
    storage = open_storage(store)
    blobs = []
    for _ in range(len(keys) // _SHARED_BY + 1):
        with storage.blobs.create() as blob:
            blob.write(CONTENT)
            blob.keep()
            blobs.append(blob.name)
            etag = blob.md5.hex()
    rows = [
        StoredObject(
            bucket=bucket,
            key=key,
            blob=blobs[number // _SHARED_BY],
            size=len(CONTENT),
            etag=etag,
            modified_at=0.0,
            description=Description(headers={}),
        )
        for number, key in enumerate(keys)
    ]
    storage.index.write(lambda connection: [put_row(connection, row, ALWAYS) for row in rows])
    storage.close()
