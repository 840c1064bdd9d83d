"""CopyObject, and reading where a copy comes from."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from aiohttp import web

from sagestone.s3.storage.blobs import NewBlob
from sagestone.s3.storage.documents import Description, StoredObject
from sagestone.s3.storage.encryption import Sealing
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.sealed_blob import SealedBlob
from sagestone.s3.storage.storage import Storage
from sagestone.s3_server.answers import iso_time, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.checksums import checksum_of, read_algorithm
from sagestone.s3_server.conditions import check_copy
from sagestone.s3_server.context import Context
from sagestone.s3_server.encryption import encryption_headers, read_encryption
from sagestone.s3_server.errors import invalid_argument, not_implemented
from sagestone.s3_server.headers import read_description, read_write_conditions
from sagestone.s3_server.receive import discard
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_writer import document, element


async def copy_object(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """A new object with the bytes of another; content headers and metadata are the source's or, on REPLACE, new."""
    bucket, key = read_source(request.headers["x-amz-copy-source"])
    context.access.check(signer, "s3:GetObject", bucket, key)
    directive = request.headers.get("x-amz-metadata-directive", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise invalid_argument("x-amz-metadata-directive", directive, "Unknown metadata directive.")
    wanted = read_encryption(request)
    if (bucket, key) == (request.bucket, request.key) and directive == "COPY" and wanted is None:
        raise Refusal(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
    algorithm = request.headers.get("x-amz-checksum-algorithm")
    algorithm = read_algorithm(algorithm) if algorithm else ""
    conditions = read_write_conditions(request)
    fresh = read_description(request)
    await discard(context, request)
    context.access.check_encrypt(signer, request.bucket, wanted)
    context.storage.buckets.get(request.bucket)

    def check(source: StoredObject) -> None:
        context.access.check_decrypt(signer, source.description.encryption)
        check_copy(request.headers, source)

    def work() -> StoredObject:
        sealing = context.storage.sealing(request.bucket, request.key, wanted)
        source, blob = _copied(context.storage, bucket, key, sealing, check)
        with blob:
            kept = source.description
            same = sealing is None and kept.encryption is None
            description = (
                kept
                if directive == "COPY"
                else replace(fresh, checksums=kept.checksums, checksum_type=kept.checksum_type)
            )
            description = replace(
                description, parts=kept.parts if same else (), encryption=sealing.encryption if sealing else None
            )
            if algorithm and algorithm not in kept.checksums:
                computed = checksum_of(algorithm, blob.pieces())
                description = replace(description, checksums={algorithm: computed}, checksum_type="FULL_OBJECT")
            return context.storage.objects.commit(
                request.bucket,
                request.key,
                blob,
                description=description,
                now=context.clock(),
                etag=source.etag if same else "",
                conditions=conditions,
            )

    written = await context.run(work)
    return xml(
        document(
            "CopyObjectResult",
            element("LastModified", iso_time(written.modified_at)),
            element("ETag", f'"{written.etag}"'),
            *checksum_elements(written.description),
        ),
        headers=encryption_headers(written.description.encryption),
    )


def _copied(
    storage: Storage, bucket: str, key: str, sealing: Sealing | None, check: Callable[[StoredObject], None]
) -> tuple[StoredObject, NewBlob | SealedBlob]:
    """The object, which has to pass the check, and a blob with its bytes.

    It is a second name where neither is encrypted, else written anew: a seal is bound to the object's name.
    """
    if sealing is None:
        source, linked = storage.objects.link(bucket, key)
        if source.description.encryption is None:
            try:
                check(source)
            except BaseException:
                linked.close()
                raise
            return source, linked
        linked.close()
    source, content = storage.objects.content(bucket, key)
    with content:
        check(source)
        fresh = storage.new_blob(sealing)
        try:
            for piece in content.pieces(0, source.size):
                fresh.write(piece)
        except BaseException:
            fresh.close()
            raise
    return source, fresh


def read_source(header: str) -> tuple[str, str]:
    """(bucket, key) of x-amz-copy-source: `bucket/key` or `/bucket/key`, URL-encoded."""
    path, _, query = header.partition("?")
    if query not in ("", "versionId=null"):
        raise not_implemented(f"A copy source with {query[:64]}")
    if path.startswith("arn:"):
        raise not_implemented("A copy source that is an ARN")
    try:
        text = unquote_to_bytes(path.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        text = ""
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise invalid_argument(
            "x-amz-copy-source", header, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )
    return bucket, key


def checksum_elements(description: Description) -> list[str]:
    """The checksums of an object as elements of an answer."""
    names = {"crc32": "CRC32", "crc32c": "CRC32C", "crc64nvme": "CRC64NVME", "sha1": "SHA1", "sha256": "SHA256"}
    parts = [element(f"Checksum{names[name]}", value) for name, value in description.checksums.items()]
    return [*parts, element("ChecksumType", description.checksum_type)] if parts else []
