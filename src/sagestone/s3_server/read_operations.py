"""GetObject and HeadObject."""

from aiohttp import web

from sagestone.s3.storage.content import Content
from sagestone.s3.storage.documents import StoredObject
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.answers import empty, http_time, send_blob, send_content
from sagestone.s3_server.authentication import Signer
from sagestone.s3_server.checksums import checksum_headers
from sagestone.s3_server.conditions import check_read, range_applies
from sagestone.s3_server.context import Context
from sagestone.s3_server.encryption import encryption_headers
from sagestone.s3_server.headers import CONTENT_HEADERS, META, read_number
from sagestone.s3_server.ranges import range_of_part, read_range
from sagestone.s3_server.request import S3Request, check_header

RESPONSE_PARAMETERS = frozenset(f"response-{name}" for name in CONTENT_HEADERS)


async def get_object(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """The object's bytes, or a range of them; what is written meanwhile does not matter."""
    found, file = context.storage.objects.open(request.bucket, request.key)
    try:
        status, first, end, headers = _answer(request, found, signer)
    except BaseException:
        file.close()
        raise
    if status == 304:
        file.close()
        return empty(304, headers)
    if found.description.encryption is None:
        return await send_blob(context, request, file, first, end, status, headers)
    try:
        context.access.check_decrypt(signer, found.description.encryption)
    except BaseException:
        file.close()
        raise
    content = await context.run(Content, file, found, context.storage.seals)
    return await send_content(context, request, content, first, end, status, headers)


async def head_object(context: Context, request: S3Request, signer: Signer) -> web.StreamResponse:
    """What a GET would say about the object."""
    found = context.storage.objects.get(request.bucket, request.key)
    status, first, end, headers = _answer(request, found, signer)
    if status == 304:
        return empty(304, headers)
    if _wants_checksums(request) and found.description.checksums:  # which tell of the plaintext (documented)
        context.access.check_decrypt(signer, found.description.encryption)
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = end - first
    return response


def _answer(request: S3Request, found: StoredObject, signer: Signer) -> tuple[int, int, int, dict[str, str]]:
    """(status, first byte, byte after the last, headers)."""
    identity = {"ETag": f'"{found.etag}"', "Last-Modified": http_time(found.modified_at)}
    if not check_read(request.headers, found):
        return 304, 0, 0, identity
    headers = {
        **identity,
        "Accept-Ranges": "bytes",
        **{_title(name): value for name, value in found.description.headers.items()},
        **{META + name: value for name, value in found.description.metadata.items()},
        **_overrides(request, signer),
        **encryption_headers(found.description.encryption),
    }
    part = _bytes_of_part(request, found, headers)
    part = part or (
        read_range(request.headers.get("range"), found.size) if range_applies(request.headers, found) else None
    )
    if part is None:
        if _wants_checksums(request):
            headers |= checksum_headers(found.description.checksums, found.description.checksum_type)
        return 200, 0, found.size, headers
    first, end = part
    if end > first:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{found.size}"
    return 206, first, end, headers


def _wants_checksums(request: S3Request) -> bool:
    return request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"


def _bytes_of_part(request: S3Request, found: StoredObject, headers: dict[str, str]) -> tuple[int, int] | None:
    if "partNumber" not in request.parameters:
        return None
    if "range" in request.headers:
        raise Refusal("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    number = read_number(request.parameters, "partNumber", 1, 1, 10**9)
    if found.description.parts:
        headers["x-amz-mp-parts-count"] = str(len(found.description.parts))
    return range_of_part(number, found.description.parts, found.size)


def _overrides(request: S3Request, signer: Signer) -> dict[str, str]:
    names = [name for name in request.parameters if name in RESPONSE_PARAMETERS]
    for name in names:
        check_header(name, request.parameters[name])
    return {_title(name.removeprefix("response-")): request.parameters[name] for name in names}


def _title(name: str) -> str:
    return name.title()
