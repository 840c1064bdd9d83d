"""CreateMultipartUpload, UploadPart, UploadPartCopy and AbortMultipartUpload."""

import re
from dataclasses import replace

from aiohttp import web

from sagestone.s3.storage.blobs import NewBlob
from sagestone.s3.storage.documents import ChecksumType, Part, StoredObject, Upload
from sagestone.s3.storage.encryption import Sealing
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3.storage.sealed_blob import SealedBlob
from sagestone.s3_server.answers import empty, iso_time, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.body import Intake, read_promise
from sagestone.s3_server.checksums import checksum_headers, checksum_of, read_algorithm
from sagestone.s3_server.conditions import check_copy
from sagestone.s3_server.context import Context
from sagestone.s3_server.copy_operations import checksum_elements, read_source
from sagestone.s3_server.encryption import encryption_headers, read_encryption
from sagestone.s3_server.errors import invalid_argument
from sagestone.s3_server.headers import read_description
from sagestone.s3_server.receive import discard, receive
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.write_operations import LazyBlob
from sagestone.s3_server.xml_writer import document, element

MOST_PARTS = 10000


async def create_upload(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Begin an upload; headers and metadata are those of the object to be."""
    named = request.headers.get("x-amz-checksum-algorithm")
    algorithm = read_algorithm(named) if named else ""
    kind = _read_type(request, algorithm)
    description = read_description(request)
    wanted = read_encryption(request)
    context.access.check_encrypt(signer, request.bucket, wanted)
    await discard(context, request)
    sealing = await context.run(context.storage.sealing, request.bucket, request.key, wanted)
    description = replace(description, encryption=sealing.encryption if sealing else None)
    upload = await context.run(
        context.storage.uploads.begin,
        request.bucket,
        request.key,
        description=description,
        now=context.clock(),
        checksum_algorithm=algorithm,
        checksum_type=kind,
    )
    body = document(
        "InitiateMultipartUploadResult",
        element("Bucket", request.bucket),
        element("Key", request.key),
        element("UploadId", upload.id),
    )
    headers = {"x-amz-checksum-algorithm": algorithm.upper(), "x-amz-checksum-type": kind} if algorithm else {}
    headers |= encryption_headers(description.encryption)
    return xml(body, headers=headers)


async def upload_part(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Store the body as a part, in place of an earlier one of that number."""
    upload = find_upload(context, request)
    number = _read_part_number(request)
    context.access.check_decrypt(signer, upload.description.encryption)  # the upload's data key
    if "x-amz-copy-source" in request.headers:
        return await _copy_part(context, request, upload, number, signer)
    promise = read_promise(request, signer)
    sealing = await context.run(_sealing, context, upload) if upload.description.encryption else None
    with LazyBlob(context, sealing) as blob:
        intake = Intake(promise, blob.write)

        def end(pieces: list[bytes]) -> Part:
            intake.finish(pieces)
            checksums = _with_algorithm(upload, intake.checksums, blob.get())
            return context.storage.uploads.put_part(
                upload, number, blob.get(), checksums=checksums, now=context.clock()
            )

        part = await receive(context, request, intake, end)
    return empty(
        headers={
            "ETag": f'"{part.etag}"',
            **checksum_headers(part.checksums, "FULL_OBJECT"),
            **encryption_headers(upload.description.encryption),
        }
    )


async def abort_upload(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Drop an upload and its parts."""
    await context.run(context.storage.uploads.abort, find_upload(context, request))
    return empty(204)


def find_upload(context: Context, request: S3Request) -> Upload:
    """The upload that the request names; raises Refusal NoSuchBucket or NoSuchUpload."""
    context.storage.buckets.get(request.bucket)
    return context.storage.uploads.get(request.bucket, request.key, request.parameters.get("uploadId", ""))


async def _copy_part(
    context: Context, request: S3Request, upload: Upload, number: int, signer: Signer
) -> web.StreamResponse:
    bucket, key = read_source(request.headers["x-amz-copy-source"])
    context.access.check(signer, "s3:GetObject", bucket, key)
    wanted = request.headers.get("x-amz-copy-source-range")
    await discard(context, request)

    def work() -> Part:
        sealing = _sealing(context, upload)
        source, content = context.storage.objects.content(bucket, key)
        with content, context.storage.new_blob(sealing) as blob:
            context.access.check_decrypt(signer, source.description.encryption)
            check_copy(request.headers, source)
            for piece in content.pieces(*_read_copy_range(wanted, source)):
                blob.write(piece)
            checksums = _with_algorithm(upload, {}, blob)
            return context.storage.uploads.put_part(upload, number, blob, checksums=checksums, now=context.clock())

    part = await context.run(work)
    described = replace(upload.description, checksums=part.checksums)
    return xml(
        document(
            "CopyPartResult",
            element("LastModified", iso_time(part.modified_at)),
            element("ETag", f'"{part.etag}"'),
            *checksum_elements(described)[:-1],
        ),
        headers=encryption_headers(upload.description.encryption),
    )


def _sealing(context: Context, upload: Upload) -> Sealing | None:
    """What the parts of the upload are sealed with."""
    encryption = upload.description.encryption
    return None if encryption is None else context.storage.seals.again(encryption, upload.bucket, upload.key)


def _with_algorithm(upload: Upload, checksums: dict[str, str], blob: NewBlob | SealedBlob) -> dict[str, str]:
    """The checksums of a part, among them the one that the upload asks of every part."""
    algorithm = upload.checksum_algorithm
    if not algorithm or algorithm in checksums:
        return checksums
    return {**checksums, algorithm: checksum_of(algorithm, blob.pieces())}


def _read_type(request: S3Request, algorithm: str) -> ChecksumType:
    named = request.headers.get("x-amz-checksum-type", "").upper()
    if named and not algorithm:
        raise Refusal(
            "InvalidRequest", "The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm."
        )
    if named not in ("", "FULL_OBJECT", "COMPOSITE"):
        raise Refusal("InvalidRequest", f"Value for x-amz-checksum-type header is invalid: {named[:32]}")
    if (named == "COMPOSITE" and algorithm == "crc64nvme") or (named == "FULL_OBJECT" and algorithm.startswith("sha")):
        raise Refusal(
            "InvalidRequest", f"The {named} checksum type cannot be used with the {algorithm} checksum algorithm."
        )
    return "FULL_OBJECT" if named == "FULL_OBJECT" or algorithm == "crc64nvme" else "COMPOSITE"


def _read_part_number(request: S3Request) -> int:
    text = request.parameters.get("partNumber", "")
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= MOST_PARTS:
        raise invalid_argument(
            "partNumber", text, f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive"
        )
    return int(text)


def _read_copy_range(header: str | None, source: StoredObject) -> tuple[int, int]:
    if header is None:
        return 0, source.size
    found = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{1,18})", header.strip())
    if found is None or not int(found[1]) <= int(found[2]) < source.size:
        raise invalid_argument(
            "x-amz-copy-source-range",
            header,
            f"The x-amz-copy-source-range must be of the form bytes=first-last within the {source.size} bytes",
        )
    return int(found[1]), int(found[2]) + 1
