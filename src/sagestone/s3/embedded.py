"""The embedded store as an S3 client, directly on its files: for whoever runs beside it."""

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagestone.kms.vault import Vault
from sagestone.s3.client import (
    AccessDenied,
    NoSuchBucket,
    NoSuchKey,
    ObjectInfo,
    S3Failure,
    SourceObject,
    in_order,
    overwritten,
)
from sagestone.s3.storage.documents import Description, Encryption, StoredObject, WantedEncryption
from sagestone.s3.storage.encryption import Sealing
from sagestone.s3.storage.file_copy import copy_place, copy_range
from sagestone.s3.storage.pages import Page, list_objects
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.segments import SealedBytes
from sagestone.s3.storage.storage import Storage, open_storage
from sagestone.s3.uri import LONGEST_KEY_BYTES, S3Uri

PIECE = 1024 * 1024
#: What an attempt to link fails with where the file systems, or one of them, cannot.
_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}

_SEALED = " "  # in a place: what follows the name of the blob says how it is encrypted
_encryption = msgspec.json.Decoder(Encryption)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the bytes of an object lie, and how they are encrypted."""

    blob: str
    encryption: Encryption | None


class EmbeddedS3:
    """The promises of `s3.client` on the store of a directory, which others may have open at the same time.

    `owner` is the account whose buckets it reaches ("": the home's own); None: it reaches all. Objects that are
    encrypted are read and written with the keys of the vault; the place of one says how it is.
    """

    def __init__(self, directory: Path, owner: str | None = None, vault: Vault | None = None) -> None:
        self._storage = open_storage(directory, vault)
        self._owner = owner

    def list(self, prefix: S3Uri, *, page: int = 1000) -> Iterator[ObjectInfo]:
        for found in self._pages(prefix, "", page):
            yield from map(_info, found.items)

    def level(self, prefix: S3Uri) -> Iterator[ObjectInfo | str]:
        for found in self._pages(prefix, "/", 1000):
            yield from in_order(map(_info, found.items), found.prefixes)

    def _pages(self, prefix: S3Uri, delimiter: str, most: int) -> Iterator[Page[StoredObject]]:
        after: str | None = ""
        self._check_owner(prefix)
        while after is not None:
            with _as_client(prefix):
                page = list_objects(
                    self._storage.index, prefix.bucket, prefix=prefix.key, delimiter=delimiter, after=after, limit=most
                )
            yield page
            after = page.last

    def head(self, uri: S3Uri) -> ObjectInfo:
        self._check_owner(uri)
        with _as_client(uri):
            return _info(self._storage.objects.get(uri.bucket, uri.key))

    @contextmanager
    def read(self, uri: S3Uri, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self._check_owner(uri)
        with _as_client(uri):
            found, content = self._storage.objects.content(uri.bucket, uri.key)
        with content:
            yield _told(uri, content.pieces(min(offset, found.size), found.size))

    def download(self, uri: S3Uri, target: Path) -> int:
        self._check_owner(uri)
        with _as_client(uri):
            found, content = self._storage.objects.content(uri.bucket, uri.key)
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        with content:
            try:
                with beside.open("xb", buffering=0) as copy:
                    if content.is_plain:
                        copy_range(content.file.fileno(), copy.fileno(), found.size)
                    else:
                        for piece in _told(uri, content.pieces(0, found.size)):
                            copy.write(piece)
                beside.replace(target)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        return found.size

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        file = self.open(found)
        if file is None:
            at = start
            for piece in self._opened(found, _place(found), start, stop):
                at += os.pwrite(target, piece, at)
            return
        try:
            copy_place(file, target, start, stop)
        finally:
            os.close(file)

    def read_range(self, found: SourceObject, start: int, stop: int) -> bytes:
        file = self.open(found)
        if file is None:
            return b"".join(self._opened(found, _place(found), start, stop))
        try:
            content = os.pread(file, stop - start, start)
        finally:
            os.close(file)
        if len(content) != stop - start:
            raise S3Failure(f"{found.uri}: the store's file ends after {start + len(content)} bytes")
        return content

    def pieces(self, found: SourceObject, start: int, stop: int) -> Iterator[bytes]:
        file = self.open(found)
        if file is None:
            yield from self._opened(found, _place(found), start, stop)
            return
        try:
            for place in range(start, stop, PIECE):
                yield os.pread(file, min(PIECE, stop - place), place)
        finally:
            os.close(file)

    @property
    def pours(self) -> bool:
        return True

    def pour(self, found: SourceObject, pipe: int) -> None:
        file = self.open(found)
        if file is None:
            for piece in self._opened(found, _place(found), 0, found.size):
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(pipe, rest) :]
            return
        try:
            at = 0
            while at < found.size:
                moved = os.splice(file, pipe, found.size - at, offset_src=at)
                if moved == 0:
                    raise S3Failure(f"{found.uri}: its file is shorter than it was")
                at += moved
        finally:
            os.close(file)

    @property
    def has_files(self) -> bool:
        return True

    def open(self, found: SourceObject) -> int | None:
        return None if _SEALED in found.place else self._file(found, found.place)

    def _file(self, found: SourceObject, blob: str) -> int:
        try:
            return self._storage.blobs.descriptor(blob)
        except OSError as error:
            raise self._not_opened(found, error) from error

    @contextmanager
    def opener(self) -> Iterator[Callable[[SourceObject], int | None]]:
        with self._storage.blobs.opener() as open_blob:

            def open_object(found: SourceObject) -> int | None:
                try:
                    return None if _SEALED in found.place else open_blob(found.place)
                except OSError as error:
                    raise self._not_opened(found, error) from error

            yield open_object

    def _not_opened(self, found: SourceObject, error: OSError) -> S3Failure:
        if not isinstance(error, FileNotFoundError):
            return S3Failure(f"{found.uri}: {error}")
        with _as_client(found.uri):
            self._storage.objects.get(found.uri.bucket, found.uri.key)
        return overwritten(found.uri)

    def _opened(self, found: SourceObject, place: "_Place", start: int, stop: int) -> Iterator[bytes]:
        """The bytes of an object that is encrypted, if its key may be used now."""
        assert place.encryption is not None
        file = self._file(found, place.blob)
        try:
            with _as_client(found.uri):
                sealing = self._storage.seals.again(place.encryption, found.uri.bucket, found.uri.key)
            sealed = SealedBytes(file, sealing.data_key, place.encryption.segments or (found.size,))
            yield from _told(found.uri, sealed.pieces(start, stop))
        finally:
            os.close(file)

    def link(self, found: SourceObject, name: str, directory: int) -> bool:
        if _SEALED in found.place:
            return False
        try:
            self._storage.blobs.show(found.place, name, directory)
        except FileNotFoundError as error:
            with _as_client(found.uri):
                self._storage.objects.get(found.uri.bucket, found.uri.key)
            raise overwritten(found.uri) from error
        except OSError as error:
            if error.errno in _NO_LINKS:
                return False
            raise
        return True

    def upload(self, uri: S3Uri, content_type: str = "binary/octet-stream", kms_key_id: str = "") -> "EmbeddedUpload":
        wanted = WantedEncryption(algorithm="aws:kms", key=kms_key_id) if kms_key_id else None
        with _as_client(uri):
            self._storage.buckets.get(uri.bucket)
        self._check_owner(uri)
        with _as_client(uri):
            sealing = self._storage.sealing(uri.bucket, uri.key, wanted)
        if not 0 < len(os.fsencode(uri.key)) <= LONGEST_KEY_BYTES:
            raise S3Failure(f"{uri}: a key has 1 to {LONGEST_KEY_BYTES} bytes in UTF-8")
        return EmbeddedUpload(self._storage, uri, content_type, sealing)

    def delete(self, uri: S3Uri) -> None:
        self._check_owner(uri)
        with _as_client(uri):
            self._storage.objects.delete(uri.bucket, uri.key)

    def clear(self) -> None:
        """The service does it when it starts."""

    def _check_owner(self, uri: S3Uri) -> None:
        """Refuse a bucket of another account; objects that a list has found are not asked about again."""
        if self._owner is None:
            return
        with _as_client(uri):
            if self._storage.buckets.get(uri.bucket).owner != self._owner:
                raise Refusal("AccessDenied", "Access Denied: the bucket belongs to another account.")


class EmbeddedUpload:
    """An object being written to the store's own files."""

    def __init__(self, storage: Storage, uri: S3Uri, content_type: str, sealing: Sealing | None) -> None:
        self._storage = storage
        self._uri = uri
        encryption = sealing.encryption if sealing else None
        self._description = Description(headers={"content-type": content_type}, encryption=encryption)
        self._blob = storage.new_blob(sealing)

    def write(self, data: bytes | memoryview) -> None:
        with _as_client(self._uri):
            self._blob.write(data)
            self._blob.sync_ahead()

    def commit(self) -> None:
        with self._blob, _as_client(self._uri):
            self._storage.objects.commit(
                self._uri.bucket,
                self._uri.key,
                self._blob,
                description=self._description,
                now=time.time(),
            )

    def abort(self) -> None:
        self._blob.close()


def _info(found: StoredObject) -> ObjectInfo:
    encryption = found.description.encryption
    place = found.blob if encryption is None else f"{found.blob}{_SEALED}{msgspec.json.encode(encryption).decode()}"
    return ObjectInfo(found.key, found.size, found.etag, found.modified_at, place)


def _place(found: SourceObject) -> _Place:
    """What the place of an object says."""
    blob, sealed, encryption = found.place.partition(_SEALED)
    return _Place(blob=blob, encryption=_encryption.decode(encryption) if sealed else None)


def _told(uri: S3Uri, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces; what goes wrong with them names the URI."""
    with _as_client(uri):
        yield from pieces


@contextmanager
def _as_client(uri: S3Uri) -> Iterator[None]:
    """The store's refusals in the client's words, each naming the URI."""
    kinds = {"NoSuchBucket": NoSuchBucket, "NoSuchKey": NoSuchKey, "AccessDenied": AccessDenied}
    try:
        yield
    except Refusal as refusal:
        if refusal.code.startswith("KMS."):
            text = f"{uri}: the KMS key cannot be used ({refusal.code}: {refusal.message})"
            raise AccessDenied(text) from refusal
        raise kinds.get(refusal.code, S3Failure)(f"{uri}: {refusal.message}") from refusal
    except UnicodeEncodeError as error:
        raise S3Failure(f"{uri!r}: the key cannot be written as UTF-8") from error
    except OSError as error:
        raise S3Failure(f"{uri}: {error}") from error
