"""An object being written to an endpoint: one PUT when small, else a multipart upload that is completed at last."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from sagestone.s3.client import S3Failure, S3Unreachable
from sagestone.s3.open_uploads import OpenUploads
from sagestone.s3.patience import patiently
from sagestone.s3.remote_failure import failures_of
from sagestone.s3.uri import S3Uri

FIRST_PART_BYTES = 8 * 1024 * 1024
PARTS_OF_A_SIZE = 1000  # then parts are twice as large: 10,000 parts reach any size that S3 takes


class RemoteUpload:
    """Holds at most one part in memory."""

    def __init__(
        self,
        client: Any,
        uri: S3Uri,
        content_type: str,
        patience_seconds: float,
        kms_key_id: str = "",
        notes: OpenUploads | None = None,
    ) -> None:
        self._client, self._notes = client, notes
        self._patience_seconds = patience_seconds
        self._uri = uri
        self._described = {"ContentType": content_type}
        if kms_key_id:
            self._described |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._over = False

    def write(self, data: bytes | memoryview) -> None:
        if self._over:
            raise S3Failure(f"{self._uri}: the upload is over")
        view = memoryview(data).cast("B")
        while len(view):
            room = self._part_bytes() - len(self._buffer)
            self._buffer += view[:room]
            view = view[room:]
            if len(self._buffer) == self._part_bytes():
                self._send_part()

    def commit(self) -> None:
        try:
            if self._upload_id is None:
                self._ask("put_object", Body=bytes(self._buffer), **self._described)
            else:
                if self._buffer:
                    self._send_part()
                patiently(self._patience_seconds, self._complete)
        except BaseException:
            self.abort()
            raise
        self._over = True
        if self._upload_id is not None and self._notes is not None:
            self._notes.forget(self._upload_id)

    def abort(self) -> None:
        if self._over:
            return
        self._over = True
        self._buffer.clear()
        if self._upload_id is not None:
            abort_upload(self._client, self._uri, self._upload_id, self._notes)

    def _part_bytes(self) -> int:
        return FIRST_PART_BYTES << (len(self._parts) // PARTS_OF_A_SIZE)

    def _send_part(self) -> None:
        if self._upload_id is None:
            self._upload_id = upload_id = self._ask("create_multipart_upload", **self._described)["UploadId"]
            if self._notes is not None:
                self._notes.note(self._uri, upload_id)
        number = len(self._parts) + 1
        sent = self._ask("upload_part", UploadId=self._upload_id, PartNumber=number, Body=bytes(self._buffer))
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._buffer.clear()

    def _complete(self) -> None:
        """Done again after its answer was lost, it finds no such upload: then the object tells."""
        try:
            with failures_of(self._uri, lambda _: False):
                self._client.complete_multipart_upload(
                    Bucket=self._uri.bucket,
                    Key=self._uri.key,
                    UploadId=self._upload_id,
                    MultipartUpload={"Parts": self._parts},
                )
        except S3Unreachable:
            raise
        except S3Failure:
            if not self._is_there():
                raise

    def _is_there(self) -> bool:
        """Whether the object is what these parts make; raises S3Unreachable."""
        try:
            with failures_of(self._uri, lambda _: False):
                found = self._client.head_object(Bucket=self._uri.bucket, Key=self._uri.key)
        except S3Unreachable:
            raise
        except S3Failure:
            return False
        return bool(found["ETag"].strip('"') == joined_etag([part["ETag"] for part in self._parts]))

    def _ask(self, operation: str, **parameters: Any) -> Any:
        """One call on the object. What was done before its answer was lost is done again, which changes nothing."""

        def once() -> Any:
            with failures_of(self._uri, lambda _: False):
                return getattr(self._client, operation)(Bucket=self._uri.bucket, Key=self._uri.key, **parameters)

        return patiently(self._patience_seconds, once)


def joined_etag(parts: Sequence[str]) -> str:
    """The ETag of an object made of parts with these; of AWS that holds where no KMS key is at work."""
    digests = [etag.strip('"') for etag in parts]
    if not all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests):
        return ""
    joined = hashlib.md5(b"".join(map(bytes.fromhex, digests)), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(digests)}"


def abort_upload(client: Any, uri: S3Uri, upload_id: str, notes: OpenUploads | None) -> None:
    """Have S3 forget the parts of an upload. Where it does not answer, the upload stays, and stays noted.

    It raises nothing: whoever aborts has something worse to tell, and what refuses has no such upload any more.
    """
    try:
        with failures_of(uri, lambda _: False):
            client.abort_multipart_upload(Bucket=uri.bucket, Key=uri.key, UploadId=upload_id)
    except S3Unreachable:
        return
    except S3Failure:
        pass
    if notes is not None:
        notes.forget(upload_id)
