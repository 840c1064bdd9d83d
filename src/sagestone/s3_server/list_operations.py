"""ListObjects, ListObjectsV2 and ListMultipartUploads."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.pages import Page, list_objects
from sagestone.s3_server.answers import iso_time, xml
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.bucket_operations import owner
from sagestone.s3_server.context import Context
from sagestone.s3_server.errors import invalid_argument
from sagestone.s3_server.headers import read_number
from sagestone.s3_server.request import S3Request
from sagestone.s3_server.xml_writer import document, element, group

LARGEST_PAGE = 1000

Encode = Callable[[str], str]


async def list_v1(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """A page of keys after `marker`."""
    encode, limit = read_encoding(request), read_number(request.parameters, "max-keys", LARGEST_PAGE, 0, LARGEST_PAGE)
    marker = request.parameters.get("marker", "")
    delimiter = request.parameters.get("delimiter", "")

    def work() -> bytes:
        page = _page(context, request, marker, limit)
        parts = [element("Marker", encode(marker)), *_common(request, encode, limit, page)]
        if page.last is not None and delimiter:
            parts.append(element("NextMarker", encode(page.last)))
        whose = owner(context.access.account_of(signer))
        return document("ListBucketResult", *parts, *_entries(page, encode, whose))

    return xml(await context.run(work))


async def list_v2(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """A page of keys after a token or `start-after`."""
    parameters = request.parameters
    encode, limit = read_encoding(request), read_number(parameters, "max-keys", LARGEST_PAGE, 0, LARGEST_PAGE)
    start_after = parameters.get("start-after", "")
    after = _read_token(parameters["continuation-token"]) if "continuation-token" in parameters else start_after
    whose = owner(context.access.account_of(signer)) if parameters.get("fetch-owner", "") == "true" else ""

    def work() -> bytes:
        page = _page(context, request, after, limit)
        parts = [*_common(request, encode, limit, page), element("KeyCount", len(page.items) + len(page.prefixes))]
        if "continuation-token" in parameters:
            parts.append(element("ContinuationToken", parameters["continuation-token"]))
        if page.last is not None:
            parts.append(element("NextContinuationToken", _write_token(page.last)))
        if start_after:
            parts.append(element("StartAfter", encode(start_after)))
        return document("ListBucketResult", *parts, *_entries(page, encode, whose))

    return xml(await context.run(work))


def read_encoding(request: S3Request) -> Encode:
    """How keys are written in the answer."""
    kind = request.parameters.get("encoding-type")
    if kind is None:
        return lambda text: text
    if kind != "url":
        raise invalid_argument("encoding-type", kind, "Invalid Encoding Method specified in Request")
    return lambda text: quote(text, safe="/-_.~*")


def _page(context: Context, request: S3Request, after: str, limit: int) -> Page[StoredObject]:
    if limit == 0:
        context.storage.buckets.get(request.bucket)
        return Page(items=(), prefixes=(), last=None)
    return list_objects(
        context.storage.index,
        request.bucket,
        prefix=request.parameters.get("prefix", ""),
        delimiter=request.parameters.get("delimiter", ""),
        after=after,
        limit=limit,
    )


def _common(request: S3Request, encode: Encode, limit: int, page: Page[StoredObject]) -> list[str]:
    parameters = request.parameters
    parts = [
        element("Name", request.bucket),
        element("Prefix", encode(parameters.get("prefix", ""))),
        element("MaxKeys", limit),
        element("IsTruncated", "false" if page.last is None else "true"),
    ]
    if parameters.get("delimiter"):
        parts.append(element("Delimiter", encode(parameters["delimiter"])))
    if "encoding-type" in parameters:
        parts.append(element("EncodingType", "url"))
    return parts


def _entries(page: Page[StoredObject], encode: Encode, whose: str) -> list[str]:
    entries = []
    for each in page.items:
        algorithms = "".join(element("ChecksumAlgorithm", name.upper()) for name in each.description.checksums)
        kind = element("ChecksumType", each.description.checksum_type) if algorithms else ""
        entries.append(
            f"<Contents>{element('Key', encode(each.key))}<LastModified>{iso_time(each.modified_at)}</LastModified>"
            f"<ETag>&quot;{each.etag}&quot;</ETag>{algorithms}{kind}<Size>{each.size}</Size>{whose}"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )
    entries += [group("CommonPrefixes", element("Prefix", encode(prefix))) for prefix in page.prefixes]
    return entries


def _write_token(last: str) -> str:
    return urlsafe_b64encode(b"1" + last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        raw = urlsafe_b64decode(token.encode())
        if not raw.startswith(b"1"):
            raise ValueError("of another kind")
        return raw[1:].decode()
    except ValueError:
        raise invalid_argument("continuation-token", token, "The continuation token provided is incorrect") from None
