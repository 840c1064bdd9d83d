"""PutObject, DeleteObject and DeleteObjects."""

from dataclasses import replace

from aiohttp import web

from sagestone.s3.storage.blobs import NewBlob
from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.encryption import Sealing
from sagestone.s3.storage.objects import check_conditions
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.sealed_blob import SealedBlob
from sagestone.s3.uri import LONGEST_KEY_BYTES
from sagestone.s3_server.answers import empty, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.body import Intake, read_promise
from sagestone.s3_server.checksums import checksum_headers
from sagestone.s3_server.context import Context
from sagestone.s3_server.copy_operations import copy_object
from sagestone.s3_server.encryption import encryption_headers, read_encryption
from sagestone.s3_server.headers import read_description, read_write_conditions
from sagestone.s3_server.receive import receive, receive_small
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_reader import LARGEST_BODY, malformed, read_document
from sagestone.s3_server.xml_writer import document, element, group

MOST_DELETES = 1000


async def put_object(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Store the body as the object, all or nothing."""
    if "x-amz-copy-source" in request.headers:
        return await copy_object(context, request, signer)
    promise = read_promise(request, signer)
    description = read_description(request)
    wanted = read_encryption(request)
    conditions = read_write_conditions(request)
    check_conditions(request.bucket, request.key, _etag_there(context, request), conditions)
    context.access.check_encrypt(signer, request.bucket, wanted)
    sealing = None
    if wanted or context.storage.buckets.get(request.bucket).encryption:
        sealing = await context.run(context.storage.sealing, request.bucket, request.key, wanted)
    encryption = sealing.encryption if sealing else None
    with LazyBlob(context, sealing) as blob:
        intake = Intake(promise, blob.write)

        def end(pieces: list[bytes]) -> StoredObject:
            intake.finish(pieces)
            return context.storage.objects.commit(
                request.bucket,
                request.key,
                blob.get(),
                description=replace(description, checksums=intake.checksums, encryption=encryption),
                now=context.clock(),
                conditions=conditions,
            )

        written = await receive(context, request, intake, end)
    return empty(
        headers={
            "ETag": f'"{written.etag}"',
            **checksum_headers(intake.checksums, "FULL_OBJECT"),
            **encryption_headers(encryption),
        }
    )


async def delete_object(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Delete the object, if there is one."""
    conditions = read_write_conditions(request)
    await context.run(context.storage.objects.delete, request.bucket, request.key, conditions)
    return empty(204)


async def delete_objects(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Delete up to 1000 objects by name."""
    body = await receive_small(context, request, signer, LARGEST_BODY)
    node = read_document(body, "Delete")
    node.check_children({"Object", "Quiet"})
    entries = node.all("Object")
    if not 1 <= len(entries) <= MOST_DELETES:
        raise malformed(f"<Delete> holds 1 to {MOST_DELETES} <Object>, not {len(entries)}")
    keys, errors = [], []
    for entry in entries:
        key = entry.get("Key")
        if not key:
            raise malformed("an <Object> has no <Key>")
        entry.check_children({"Key", "VersionId", "ETag", "LastModifiedTime", "Size"})
        conditional = [
            name for name in ("VersionId", "ETag", "LastModifiedTime", "Size") if entry.get(name) is not None
        ]
        if conditional and not (conditional == ["VersionId"] and entry.get("VersionId") in ("", "null")):
            errors.append(_error(key, "NotImplemented", f"{conditional[0]} is not supported; the object was kept."))
        elif len(key.encode("utf-8", "surrogatepass")) > LONGEST_KEY_BYTES:
            errors.append(_error(key, "KeyTooLongError", "Your key is too long"))
        else:
            keys.append(key)
    for key in list(keys):
        try:
            context.access.check(signer, "s3:DeleteObject", request.bucket, key)
        except Refusal as refusal:
            errors.append(_error(key, refusal.code, refusal.message))
            keys.remove(key)
    await context.run(context.storage.objects.delete_many, request.bucket, keys)
    quiet = (node.get("Quiet") or "").strip().lower() == "true"
    deleted = [] if quiet else [group("Deleted", element("Key", key)) for key in keys]
    return xml(document("DeleteResult", *deleted, *errors))


class LazyBlob:
    """A blob that is created, in a thread, when its first bytes come."""

    def __init__(self, context: Context, sealing: Sealing | None) -> None:
        self._storage = context.storage
        self._sealing = sealing
        self._blob: NewBlob | SealedBlob | None = None

    def get(self) -> NewBlob | SealedBlob:
        """The blob, created if need be."""
        if self._blob is None:
            self._blob = self._storage.new_blob(self._sealing)
        return self._blob

    def write(self, data: memoryview) -> None:
        """Append the data."""
        self.get().write(data)

    def __enter__(self) -> "LazyBlob":
        return self

    def __exit__(self, *_: object) -> None:
        if self._blob is not None:
            self._blob.close()


def _etag_there(context: Context, request: S3Request) -> str | None:
    """The ETag of the object there now; raises Refusal NoSuchBucket."""
    try:
        return context.storage.objects.get(request.bucket, request.key).etag
    except Refusal as refusal:
        if refusal.code == "NoSuchKey":
            return None
        raise


def _error(key: str, code: str, message: str) -> str:
    return group("Error", element("Key", key), element("Code", code), element("Message", message))
