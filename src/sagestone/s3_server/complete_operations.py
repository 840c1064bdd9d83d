"""CompleteMultipartUpload: the parts that the client names become the object, or nothing changes."""

import re
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from sagestone.s3.storage.documents import Description, Part, Upload
from sagestone.s3.storage.multipart import Joined
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.answers import xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.checksums import SIZES, check_value, checksum_of, claimed_checksum, joined_checksum
from sagestone.s3_server.context import Context
from sagestone.s3_server.copy_operations import checksum_elements
from sagestone.s3_server.encryption import encryption_headers
from sagestone.s3_server.headers import read_write_conditions
from sagestone.s3_server.multipart_operations import MOST_PARTS, find_upload
from sagestone.s3_server.receive import receive_small
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_reader import LARGEST_BODY, Node, malformed, read_document
from sagestone.s3_server.xml_writer import document, element

SMALLEST_PART = 5 * 1024 * 1024


async def complete_upload(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Join the named parts; the existing object stays until that is durable."""
    upload = find_upload(context, request)
    context.access.check_decrypt(signer, upload.description.encryption)
    conditions = read_write_conditions(request)
    headers = {name: value for name, value in request.headers.items() if name.startswith("x-amz-checksum-")}
    body = await receive_small(context, _without_checksums(request), signer, LARGEST_BODY)
    wanted = read_document(body, "CompleteMultipartUpload").all("Part")
    parts = _chosen(upload, wanted, context.storage.uploads.parts(upload))
    expected_size = headers_size(request)
    if expected_size is not None and expected_size != sum(part.size for part in parts):
        raise Refusal("InvalidRequest", "The x-amz-mp-object-size is not the size of the parts together.")

    def describe(joined: Joined) -> Description:
        return _describe(upload, parts, headers, joined)

    written = await context.run(
        context.storage.uploads.complete,
        upload,
        parts,
        now=context.clock(),
        describe=describe,
        conditions=conditions,
    )
    return xml(
        document(
            "CompleteMultipartUploadResult",
            element("Location", f"http://{request.headers.get('host', '')}{request.signed.raw_path}"),
            element("Bucket", written.bucket),
            element("Key", written.key),
            element("ETag", f'"{written.etag}"'),
            *checksum_elements(written.description),
        ),
        headers=encryption_headers(written.description.encryption),
    )


def headers_size(request: S3Request) -> int | None:
    """What x-amz-mp-object-size says; None without it."""
    text = request.headers.get("x-amz-mp-object-size")
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,15}", text):
        raise Refusal("InvalidRequest", f"x-amz-mp-object-size is not a number: {text[:32]}")
    return int(text)


def _without_checksums(request: S3Request) -> S3Request:
    """The checksum headers of this request speak of the object, not of the request's body."""
    kept = {name: value for name, value in request.headers.items() if not name.startswith("x-amz-checksum-")}
    kept.pop("x-amz-sdk-checksum-algorithm", None)
    return replace(request, headers=kept)


def _chosen(upload: Upload, wanted: Sequence[Node], there: Sequence[Part]) -> list[Part]:
    """The parts that are named, checked; raises InvalidPart, InvalidPartOrder, EntityTooSmall, MalformedXML."""
    if not 1 <= len(wanted) <= MOST_PARTS:
        raise malformed(f"<CompleteMultipartUpload> names 1 to {MOST_PARTS} parts, not {len(wanted)}")
    by_number = {part.number: part for part in there}
    chosen: list[Part] = []
    for node in wanted:
        number, etag = (node.get("PartNumber") or "").strip(), (node.get("ETag") or "").strip().strip('"')
        if not re.fullmatch("[0-9]{1,5}", number):
            raise malformed("a <Part> has no <PartNumber>")
        part = by_number.get(int(number))
        if part is None or part.etag != etag:
            raise Refusal(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag.",
                UploadId=upload.id,
                PartNumber=number,
                ETag=etag[:64],
            )
        _check_part(part, node)
        if chosen and part.number <= chosen[-1].number:
            raise Refusal(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                UploadId=upload.id,
            )
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < SMALLEST_PART:
            raise Refusal(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=str(part.size),
                MinSizeAllowed=str(SMALLEST_PART),
                PartNumber=str(part.number),
                ETag=part.etag,
            )
    return chosen


def _check_part(part: Part, node: Node) -> None:
    for algorithm in SIZES:
        claimed = node.get(f"Checksum{algorithm.upper()}")
        if claimed is not None and claimed.strip() != part.checksums.get(algorithm):
            raise Refusal(
                "InvalidPart",
                f"The {algorithm.upper()} of part {part.number} is not that of the part that was uploaded.",
                PartNumber=str(part.number),
            )


def _describe(upload: Upload, parts: Sequence[Part], headers: dict[str, str], joined: Joined) -> Description:
    """The object's description with its checksum; raises BadDigest when the client expected another."""
    description = replace(upload.description, parts=tuple(part.size for part in parts))
    algorithm = upload.checksum_algorithm
    if not algorithm:
        return description
    if upload.checksum_type == "COMPOSITE":
        value = joined_checksum(algorithm, parts)
        claimed = headers.get(f"x-amz-checksum-{algorithm}")
        if claimed is not None:
            check_value(algorithm, claimed.partition("-")[0], value.partition("-")[0])
    else:
        value = checksum_of(algorithm, joined())
        whole = claimed_checksum(headers)
        if whole is not None and whole[0] == algorithm:
            check_value(algorithm, whole[1], value)
    return replace(description, checksums={algorithm: value}, checksum_type=upload.checksum_type)
