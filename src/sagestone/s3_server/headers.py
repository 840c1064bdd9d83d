"""Which x-amz- headers are understood; all others are refused by name, before anything is done."""

import re

from sagestone.s3.storage.documents import Conditions, Description
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.encryption import ENCRYPTION, check_encryption_header
from sagestone.s3_server.errors import invalid_argument, not_implemented
from sagestone.s3_server.request import S3Request

CONTENT_HEADERS = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
META = "x-amz-meta-"
LARGEST_METADATA = 2048

_UNDERSTOOD = re.compile(
    "x-amz-(date|security-token|content-sha256|user-agent|decoded-content-length|trailer|expected-bucket-owner|"
    "source-expected-bucket-owner|sdk-checksum-algorithm|request-payer|metadata-directive|copy-source|copy-source-range|"
    "copy-source-if-(match|none-match|modified-since|unmodified-since)|checksum-(mode|algorithm|type|crc32|crc32c|"
    "crc64nvme|sha1|sha256)|mp-object-size|meta-.+)"
)
#: Headers of which only these values are served.
_ONLY = {
    "x-amz-acl": {"private", "bucket-owner-full-control"},
    "x-amz-storage-class": {"STANDARD"},
    "x-amz-object-ownership": {"BucketOwnerEnforced"},
    "x-amz-bucket-object-lock-enabled": {"false"},
    "x-amz-tagging-directive": {"COPY"},
}


def check_headers(request: S3Request, account: str) -> None:
    """Refuse headers that ask for what the store does not do, and a bucket owner who is somebody else."""
    for name, value in request.headers.items():
        if not name.startswith("x-amz-"):
            continue
        if name in _ONLY:
            if value not in _ONLY[name]:
                raise not_implemented(f"The header {name}: {value[:100]}")
        elif name.startswith(ENCRYPTION):
            check_encryption_header(request, name)
        elif not _UNDERSTOOD.fullmatch(name):
            raise not_implemented(f"The header {name}")
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if request.headers.get(name, account) != account:
            raise Refusal("AccessDenied", f"Access Denied: the bucket does not belong to the account in {name}.")


def read_description(request: S3Request) -> Description:
    """Content headers and user metadata of an object to be written."""
    headers = {name: request.headers[name] for name in CONTENT_HEADERS if name in request.headers}
    encodings = [each.strip() for each in headers.pop("content-encoding", "").split(",")]
    kept = [each for each in encodings if each and each.lower() != "aws-chunked"]
    if kept:
        headers["content-encoding"] = ",".join(kept)
    headers.setdefault("content-type", DEFAULT_CONTENT_TYPE)
    metadata = {name.removeprefix(META): value for name, value in request.headers.items() if name.startswith(META)}
    try:
        size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
        "".join(headers.values()).encode()
    except UnicodeEncodeError:
        raise Refusal("InvalidArgument", "A header of the object is not valid UTF-8.") from None
    if size > LARGEST_METADATA:
        raise Refusal(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=str(size),
            MaxSizeAllowed=str(LARGEST_METADATA),
        )
    return Description(headers=headers, metadata=metadata)


def read_write_conditions(request: S3Request) -> Conditions:
    """If-Match and If-None-Match of a request that writes or deletes."""
    for name in ("if-modified-since", "if-unmodified-since"):
        if name in request.headers:
            raise not_implemented(f"The header {name} on a request that writes")
    none_match = request.headers.get("if-none-match")
    if none_match not in (None, "*"):
        raise not_implemented(f"If-None-Match with a value other than * ({none_match[:64]})")
    match = request.headers.get("if-match")
    return Conditions(if_none_match=none_match == "*", if_match=None if match is None else match.strip().strip('"'))


def read_number(parameters: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number of a parameter, at most `most`; raises Refusal InvalidArgument."""
    text = parameters.get(name, "")
    if text == "":
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) < least:
        raise invalid_argument(name, text, f"{name} must be a whole number from {least} on")
    return min(int(text), most)
