"""ListParts and ListMultipartUploads."""

from aiohttp import web

from sagestone.s3.storage.pages import common_prefix
from sagestone.s3_server.answers import iso_time, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.bucket_operations import owner
from sagestone.s3_server.context import Context
from sagestone.s3_server.headers import read_number
from sagestone.s3_server.list_operations import LARGEST_PAGE, read_encoding
from sagestone.s3_server.multipart_operations import find_upload
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_writer import document, element, group


async def list_parts(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """The parts of an upload by number."""
    upload = find_upload(context, request)
    encode = read_encoding(request)
    after = read_number(request.parameters, "part-number-marker", 0, 0, 10**9)
    limit = read_number(request.parameters, "max-parts", LARGEST_PAGE, 0, LARGEST_PAGE)
    found = context.storage.uploads.parts(upload, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    entries = [
        group(
            "Part",
            element("PartNumber", part.number),
            element("LastModified", iso_time(part.modified_at)),
            element("ETag", f'"{part.etag}"'),
            element("Size", part.size),
            *(element(f"Checksum{name.upper()}", value) for name, value in part.checksums.items()),
        )
        for part in page
    ]
    head = [
        element("Bucket", upload.bucket),
        element("Key", encode(upload.key)),
        element("UploadId", upload.id),
        owner(context.access.account_of(signer), "Initiator"),
        owner(context.access.account_of(signer)),
        element("StorageClass", "STANDARD"),
        element("PartNumberMarker", after),
        element("MaxParts", limit),
        element("IsTruncated", "true" if more else "false"),
    ]
    if upload.checksum_algorithm:
        head.append(element("ChecksumAlgorithm", upload.checksum_algorithm.upper()))
        head.append(element("ChecksumType", upload.checksum_type))
    if page:
        head.append(element("NextPartNumberMarker", page[-1].number))
    return xml(document("ListPartsResult", *head, *entries))


async def list_uploads(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """Unfinished uploads by key, then by their beginning."""
    parameters = request.parameters
    context.storage.buckets.get(request.bucket)
    encode = read_encoding(request)
    prefix, delimiter = parameters.get("prefix", ""), parameters.get("delimiter", "")
    key_marker, id_marker = parameters.get("key-marker", ""), parameters.get("upload-id-marker", "")
    limit = read_number(parameters, "max-uploads", LARGEST_PAGE, 0, LARGEST_PAGE)
    marker = key_marker.encode()
    entries: list[str] = []
    prefixes: list[str] = []
    last_key, last_id, more = "", "", False
    for upload in context.storage.uploads.under(request.bucket, prefix):
        folded = common_prefix(upload.key.encode(), prefix.encode(), delimiter.encode()).decode()
        name = (folded or upload.key).encode()
        if name < marker or (name == marker and (folded or not id_marker or upload.id <= id_marker)):
            continue
        if folded and prefixes and prefixes[-1] == folded:
            continue
        if len(entries) + len(prefixes) >= limit:
            more = True
            break
        last_key, last_id = folded or upload.key, "" if folded else upload.id
        if folded:
            prefixes.append(folded)
            continue
        entries.append(
            group(
                "Upload",
                element("Key", encode(upload.key)),
                element("UploadId", upload.id),
                owner(context.access.account_of(signer), "Initiator"),
                owner(context.access.account_of(signer)),
                element("StorageClass", "STANDARD"),
                element("Initiated", iso_time(upload.begun_at)),
            )
        )
    head = [
        element("Bucket", request.bucket),
        element("KeyMarker", encode(key_marker)),
        element("UploadIdMarker", id_marker),
        element("Prefix", encode(prefix)),
        element("MaxUploads", limit),
        element("IsTruncated", "true" if more else "false"),
    ]
    if delimiter:
        head.append(element("Delimiter", encode(delimiter)))
    if "encoding-type" in parameters:
        head.append(element("EncodingType", "url"))
    if more:
        head += [element("NextKeyMarker", encode(last_key)), element("NextUploadIdMarker", last_id)]
    folders = [group("CommonPrefixes", element("Prefix", encode(each))) for each in prefixes]
    return xml(document("ListMultipartUploadsResult", *head, *entries, *folders))
