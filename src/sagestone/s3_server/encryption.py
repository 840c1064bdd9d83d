"""The headers of server-side encryption: what is asked for, and what is answered."""

import json
from base64 import b64decode
from typing import Final

from sagestone.s3.storage.documents import Encryption, WantedEncryption
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.errors import invalid_argument, not_implemented
from sagestone.s3_server.request import S3Request

ENCRYPTION: Final = "x-amz-server-side-encryption"
_KEY: Final = f"{ENCRYPTION}-aws-kms-key-id"
_CONTEXT: Final = f"{ENCRYPTION}-context"
_BUCKET_KEY: Final = f"{ENCRYPTION}-bucket-key-enabled"
_UNDERSTOOD: Final = frozenset({ENCRYPTION, _KEY, _CONTEXT, _BUCKET_KEY})
_LONGEST_CONTEXT: Final = 8192


def check_encryption_header(request: S3Request, name: str) -> None:
    """Refuse a header of encryption that is not served, or that says nothing to this operation."""
    if name.startswith(f"{ENCRYPTION}-customer-"):
        raise not_implemented(f"The header {name} (SSE-C; use aws:kms or AES256, whose keys are kept here)")
    if name not in _UNDERSTOOD:
        raise not_implemented(f"The header {name}")
    writes = request.method == "PUT" and "uploadId" not in request.parameters
    if not request.key or not (writes or (request.method == "POST" and "uploads" in request.parameters)):
        raise invalid_argument(name, request.headers[name], f"{name} header is not supported for this operation.")


def read_encryption(request: S3Request) -> WantedEncryption | None:
    """What the headers of a request that writes ask for; None: nothing."""
    headers = request.headers
    algorithm, key = headers.get(ENCRYPTION), headers.get(_KEY, "")
    bucket_key = headers.get(_BUCKET_KEY, "false").lower()
    if bucket_key not in ("true", "false"):
        raise invalid_argument(_BUCKET_KEY, bucket_key, f"{_BUCKET_KEY} must be true or false.")
    if algorithm != "aws:kms":
        for name in (_KEY, _CONTEXT, *([_BUCKET_KEY] if bucket_key == "true" else [])):
            if name in headers:
                raise invalid_argument(name, headers[name], f"{name} needs {ENCRYPTION}: aws:kms.")
    if algorithm is None:
        return None
    if algorithm == "AES256":
        return WantedEncryption(algorithm="AES256")
    if algorithm == "aws:kms:dsse":
        raise not_implemented(f"The header {ENCRYPTION}: aws:kms:dsse (two layers of encryption)")
    if algorithm != "aws:kms":
        raise invalid_argument(ENCRYPTION, algorithm, "The encryption method specified is not supported")
    context = _read_context(headers.get(_CONTEXT))
    return WantedEncryption(algorithm="aws:kms", key=key, bucket_key=bucket_key == "true", context=context)


def encryption_headers(encryption: Encryption | None) -> dict[str, str]:
    """What an answer says about the encryption of its object."""
    if encryption is None:
        return {}
    headers: dict[str, str] = {ENCRYPTION: encryption.algorithm}
    if encryption.key:
        headers[_KEY] = encryption.key
    if encryption.bucket_key:
        headers[_BUCKET_KEY] = "true"
    return headers


def _read_context(header: str | None) -> dict[str, str]:
    """The encryption context: base64 of a JSON object of texts."""
    if header is None:
        return {}
    try:
        found = json.loads(b64decode(header, validate=True)) if len(header) <= _LONGEST_CONTEXT else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise invalid_argument(
            _CONTEXT, header, f"{_CONTEXT} must be base64 of a JSON object whose values are strings."
        )
    if "aws:s3:arn" in found:
        raise Refusal("InvalidArgument", f"{_CONTEXT} may not hold aws:s3:arn, which the store sets itself.")
    return found
