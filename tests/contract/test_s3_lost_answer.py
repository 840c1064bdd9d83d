"""The answer to the end of an upload in parts that is lost: whether the object was made, the object tells."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from sagestone.s3.client import S3Failure
from sagestone.s3.remote_upload import RemoteUpload
from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.uri import S3Uri
from tests.s3_face import REGION, RunningFace, running_face

BUCKET = "bucket"
URI = S3Uri(BUCKET, "large")
CONTENT = os.urandom(9 * 1024 * 1024)  # in two parts


@pytest.fixture(params=["plain", "aws:kms"])
def face(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningFace]:
    with running_face(tmp_path / "store") as running:
        running.storage.buckets.create(BUCKET, REGION, 0.0)
        if request.param != "plain":
            running.storage.buckets.set_encryption(BUCKET, WantedEncryption(algorithm=request.param))
        yield running


class _Losing:
    """A real client; the first answer to a CompleteMultipartUpload is lost, before (or after) anything was done."""

    def __init__(self, client: Any, *, done: bool) -> None:
        self._client, self._done, self._lost = client, done, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def complete_multipart_upload(self, **parameters: Any) -> Any:
        if self._lost:
            return self._client.complete_multipart_upload(**parameters)
        self._lost = True
        if self._done:
            self._client.complete_multipart_upload(**parameters)
        else:
            self._client.abort_multipart_upload(**{key: parameters[key] for key in ("Bucket", "Key", "UploadId")})
        raise EndpointConnectionError(endpoint_url="http://gone")


def _upload(face: RunningFace, *, done: bool) -> None:
    upload = RemoteUpload(_Losing(face.client(), done=done), URI, "text/plain", 60.0)
    upload.write(CONTENT)
    upload.commit()


def test_it_had_been_made(face: RunningFace) -> None:
    _upload(face, done=True)
    assert face.client().get_object(Bucket=BUCKET, Key=URI.key)["Body"].read() == CONTENT
    assert list(face.storage.uploads.all()) == []


@pytest.mark.parametrize("before", [None, b"x" * len(CONTENT)])
def test_it_had_not(face: RunningFace, before: bytes | None) -> None:
    if before is not None:
        earlier = RemoteUpload(face.client(), URI, "text/plain", 0.0)
        earlier.write(before)
        earlier.commit()
    with pytest.raises(S3Failure, match="NoSuchUpload"):
        _upload(face, done=False)
