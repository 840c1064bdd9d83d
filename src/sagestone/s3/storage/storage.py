"""The embedded store of one directory: `index.sqlite3` and `blobs/`."""

from dataclasses import dataclass
from pathlib import Path

from sagestone.kms.vault import Vault
from sagestone.s3.storage.blobs import Blobs, NewBlob
from sagestone.s3.storage.buckets import Buckets
from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.storage.encryption import Sealing, Seals
from sagestone.s3.storage.index import Index
from sagestone.s3.storage.multipart import Uploads
from sagestone.s3.storage.objects import Objects
from sagestone.s3.storage.sealed_blob import SealedBlob


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many objects, their bytes, and those of parts of uploads that were not completed."""

    objects: int
    bytes: int
    unfinished_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The parts of an open store. The service and its agents may have the same directory open at once."""

    directory: Path
    index: Index
    blobs: Blobs
    buckets: Buckets
    objects: Objects
    uploads: Uploads
    seals: Seals

    def new_blob(self, sealing: Sealing | None) -> NewBlob | SealedBlob:
        """An empty blob for an object that is encrypted so (None: not at all), held until it is closed."""
        blob = self.blobs.create()
        return blob if sealing is None else SealedBlob(blob, sealing)

    def sealing(self, bucket: str, key: str, wanted: WantedEncryption | None) -> Sealing | None:
        """How an object is to be encrypted: as it is wanted, else as the bucket has it; None: not at all.

        Raises Refusal NoSuchBucket, `KMS.…`.
        """
        there = self.buckets.get(bucket)
        wanted = wanted or there.encryption
        return None if wanted is None else self.seals.begin(wanted, bucket, key, there.owner)

    def totals(self) -> Totals:
        """How much is kept; the cost grows with it."""
        row = self.index.row(
            "SELECT (SELECT count(*) FROM object), (SELECT total(size) FROM object), (SELECT total(size) FROM part)"
        )
        assert row is not None  # a SELECT without FROM has one row
        return Totals(objects=row[0], bytes=int(row[1]), unfinished_bytes=int(row[2]))

    def sweep(self, *, dry_run: bool = False) -> list[tuple[str, int]]:
        """Remove what dead writers left behind; the names and sizes of these files. Safe at any time."""
        return self.blobs.sweep(self._blobs_in_use, dry_run=dry_run)

    def close(self) -> None:
        """Close the index; blobs that are open stay so."""
        self.index.close()

    def _blobs_in_use(self) -> set[str]:
        return {row[0] for row in self.index.rows("SELECT blob FROM object UNION ALL SELECT blob FROM part")}


def open_storage(directory: Path, vault: Vault | None = None) -> Storage:
    """Open the store of that directory, or make it; readable by its owner only. Without a vault it does not encrypt."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    index = Index(directory / "index.sqlite3")
    blobs = Blobs(directory / "blobs")
    seals = Seals(vault)
    return Storage(
        directory=directory,
        index=index,
        blobs=blobs,
        buckets=Buckets(index),
        objects=Objects(index, blobs, seals),
        uploads=Uploads(index, blobs, seals),
        seals=seals,
    )
