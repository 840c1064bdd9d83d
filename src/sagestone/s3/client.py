"""The S3 client interface of the instance side.

Promises, shown by the contract tests on the embedded store and on a real HTTP endpoint:

1. `list` gives keys in UTF-8 byte order, every key with the raw prefix, each once, without holding all in memory;
   `level` folds those with a `/` behind the prefix, and takes no longer for what it folds.
2. `read` streams; a broken connection is taken up at the byte where it broke; the object is the one that was opened,
   or S3Failure says that it changed.
3. `download` writes the file whole or not at all, never linked to the store, and returns its size.
4. `upload` is all or nothing: nothing is visible until `commit`, nothing is left after `abort`.
5. `fetch`, `read_range`, `pieces`, `pour`, `open`, an `opener` and `link` give the bytes of exactly the object that was
   listed or headed, else ObjectChanged or NoSuchKey.
6. A missing bucket or key raises NoSuchBucket or NoSuchKey; a refusal AccessDenied; each text names the s3:// URI.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sagestone.domain.failure import Fault
from sagestone.s3.uri import S3Uri


class S3Failure(Exception):
    """S3 did not do what was asked; the text names the URI and the cause."""


class S3Unreachable(S3Failure):
    """The store does not answer, or says that it cannot do anything now; it may have been asked for a while."""


class NoSuchBucket(S3Failure):
    """The bucket does not exist."""


class NoSuchKey(S3Failure):
    """The object does not exist."""


class ObjectChanged(S3Failure):
    """The object is another one than at the beginning."""


class AccessDenied(S3Failure):
    """The store refused these credentials."""


def fault_of(error: Exception) -> Fault:
    """Whose fault it is that an object cannot be had or kept: a store that is away is no client's."""
    return "internal" if isinstance(error, S3Unreachable) else "client"


def overwritten(uri: S3Uri) -> ObjectChanged:
    """The failure for an object that is another one than at the beginning."""
    return ObjectChanged(f"{uri}: the object was overwritten while it was being read; read it again")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing or a head shows it (`etag` without quotes; `modified_at` epoch seconds).

    `place` tells the client that gave it where the bytes lie, so that it need not be looked up again; "" says nothing.
    """

    key: str
    size: int
    etag: str
    modified_at: float
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One object to read: exactly these bytes (`etag` and `place` as in ObjectInfo)."""

    uri: S3Uri
    size: int
    etag: str
    place: str = field(default="", compare=False)


class Upload(Protocol):
    """An object being written: nothing of it is visible before `commit`; `abort` is idempotent."""

    def write(self, data: bytes | memoryview) -> None: ...

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class S3(Protocol):
    """See the promises above. All calls may be made from any thread; an Upload is used by one at a time."""

    def list(self, prefix: S3Uri, *, page: int = 1000) -> Iterator[ObjectInfo]:
        """The objects with that prefix, asked for so many at a time."""
        ...

    def level(self, prefix: S3Uri) -> Iterator[ObjectInfo | str]:
        """As `list`, but of keys with a `/` behind the prefix only what they begin with, up to that `/`, and once."""
        ...

    def head(self, uri: S3Uri) -> ObjectInfo: ...

    def read(self, uri: S3Uri, offset: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        """The object's bytes in pieces of at most about 1 MiB."""
        ...

    def download(self, uri: S3Uri, target: Path) -> int: ...

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        """Write the object's bytes from `start` to before `stop` to the same place of the open file `target`."""
        ...

    def read_range(self, found: SourceObject, start: int, stop: int) -> bytes:
        """The object's bytes from `start` to before `stop` at once: a few MiB at most."""
        ...

    def pieces(self, found: SourceObject, start: int, stop: int) -> Iterator[bytes]:
        """The object's bytes from `start` to before `stop`, in pieces of at most about 1 MiB."""
        ...

    @property
    def pours(self) -> bool:
        """Whether `pour` is the quick way to move a large object."""
        ...

    def pour(self, found: SourceObject, pipe: int) -> None:
        """Move the whole object into an open pipe, in the kernel where that is possible.

        Raises BrokenPipeError when nobody reads the pipe any more.
        """
        ...

    @property
    def has_files(self) -> bool:
        """Whether the objects are files of this machine, which `open` opens."""
        ...

    def open(self, found: SourceObject) -> int | None:
        """A descriptor of the object as a file, for reading; only where `has_files`. None: its file is encrypted."""
        ...

    def opener(self) -> AbstractContextManager[Callable[[SourceObject], int | None]]:
        """Opens one object after the other, as `open` does, and faster."""
        ...

    def link(self, found: SourceObject, name: str, directory: int) -> bool:
        """Give the object a further name, in the open directory: a file that nobody may write to, readable by all.

        False where this store has no files that could be linked to there, or where the object's is encrypted.
        """
        ...

    def upload(self, uri: S3Uri, content_type: str = "binary/octet-stream", kms_key_id: str = "") -> Upload:
        """Begin to write an object; with a KMS key (by any of its names) it is encrypted at rest with that one."""
        ...

    def delete(self, uri: S3Uri) -> None: ...

    def clear(self) -> None:
        """Have the store forget what an earlier process that was killed had begun to upload; raises nothing."""
        ...


def in_order(objects: Iterable[ObjectInfo], folded: Iterable[str]) -> Iterator[ObjectInfo | str]:
    """What a page of a `level` has, in the byte order of keys, in which each of the two is already."""
    return heapq.merge(objects, folded, key=level_key)


def level_key(item: ObjectInfo | str) -> str:
    """Where an item of a `level` stands: texts of Python have the order of their bytes in UTF-8."""
    return item if isinstance(item, str) else item.key


def write_all(s3: S3, uri: S3Uri, pieces: Iterable[bytes | memoryview], kms_key_id: str = "") -> None:
    """Upload an object from pieces, all or nothing."""
    upload = s3.upload(uri, kms_key_id=kms_key_id)
    try:
        for piece in pieces:
            upload.write(piece)
    except BaseException:
        upload.abort()
        raise
    upload.commit()
