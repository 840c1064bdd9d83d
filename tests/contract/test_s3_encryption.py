"""Encryption at rest by an unmodified boto3: what is answered, what lies on disk, and what keys that are off do."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagestone.kms.key import Key
from tests.s3_face import REGION, RunningFace, running_face

BUCKET = "sealed"
SECRET = b"not to be found on any disk "
PART = 5 * 1024 * 1024
KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("face") / "store") as running:
        running.storage.buckets.create(BUCKET, REGION, 0.0)
        yield running


@pytest.fixture
def s3(face: RunningFace) -> Any:
    return face.client()


@pytest.fixture
def key(face: RunningFace) -> Key:
    return face.vault.create()


def disk(face: RunningFace) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in face.storage.directory.rglob("*") if path.is_file()}


def body(s3: Any, name: str, **asked: Any) -> bytes:
    return bytes(s3.get_object(Bucket=BUCKET, Key=name, **asked)["Body"].read())


def code_of(call: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **parameters)
    response = caught.value.response
    told = response["Error"]
    return told["Code"], told.get("Message", ""), response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("size", [0, 1, 28, 70_000, 3_000_001])
@pytest.mark.parametrize("algorithm", ["aws:kms", "AES256"])
def test_an_object_is_answered_as_it_was_and_stored_otherwise(
    face: RunningFace, s3: Any, key: Key, algorithm: str, size: int
) -> None:
    data = (SECRET * (size // len(SECRET) + 1))[:size]
    asked = {"SSEKMSKeyId": key.id} if algorithm == "aws:kms" else {}
    put = s3.put_object(Bucket=BUCKET, Key="k", Body=data, ServerSideEncryption=algorithm, **asked)
    got = s3.get_object(Bucket=BUCKET, Key="k")
    head = s3.head_object(Bucket=BUCKET, Key="k")
    assert got["Body"].read() == data
    assert head["ContentLength"] == got["ContentLength"] == size
    for answer in (put, got, head):
        assert answer["ServerSideEncryption"] == algorithm
        assert answer.get("SSEKMSKeyId") == (face.vault.arn(key) if asked else None)
        assert (answer["ETag"] == f'"{hashlib.md5(data).hexdigest()}"') == (algorithm == "AES256")
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="k")["Contents"][0]["Size"] == size
    blob = face.storage.blobs.path(face.storage.objects.get(BUCKET, "k").blob)
    assert blob.stat().st_size > size
    assert not any(SECRET in content for content in disk(face).values())


def test_ranges_are_opened_and_nothing_else_is_read(face: RunningFace, s3: Any) -> None:
    data = os.urandom(1_000_000)
    s3.put_object(Bucket=BUCKET, Key="r", Body=data, **KMS)
    for first, last in ((0, 0), (65_535, 65_536), (131_072, 262_143), (999_999, 999_999), (12_345, 987_654)):
        assert body(s3, "r", Range=f"bytes={first}-{last}") == data[first : last + 1]
    blob = face.storage.blobs.path(face.storage.objects.get(BUCKET, "r").blob)
    blob.chmod(0o600)
    with blob.open("r+b") as file:  # the last chunk is spoilt: the others are answered all the same
        file.seek(-1, os.SEEK_END)
        file.write(b"\0" if data[-1:] != b"\0" else b"\1")
    assert body(s3, "r", Range="bytes=0-900000") == data[:900_001]
    code, _, status = code_of(s3.get_object, Key="r", Range="bytes=999990-")
    assert (code, status) == ("InternalError", 500)


def test_parts_are_sealed_one_by_one_and_joined_as_they_are(face: RunningFace, s3: Any, key: Key) -> None:
    parts = [SECRET * (PART // len(SECRET) + 1), os.urandom(PART), SECRET]
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="m", SSEKMSKeyId=key.id, BucketKeyEnabled=True, **KMS)
    assert (begun["ServerSideEncryption"], begun["BucketKeyEnabled"]) == ("aws:kms", True)
    upload = {"Bucket": BUCKET, "Key": "m", "UploadId": begun["UploadId"]}
    tags: list[dict[str, Any]] = []
    for number, data in reversed(list(enumerate(parts, 1))):
        sent = s3.upload_part(**upload, PartNumber=number, Body=data)
        assert sent["SSEKMSKeyId"] == face.vault.arn(key)
        tags.insert(0, {"PartNumber": number, "ETag": sent["ETag"]})
    assert not any(SECRET in content for content in disk(face).values())
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": tags})
    assert done["ServerSideEncryption"] == "aws:kms"
    assert done["ETag"].endswith('-3"')
    whole = b"".join(parts)
    assert body(s3, "m") == whole
    for first, last in ((PART - 3, PART + 40), (0, len(whole) - 1), (2 * PART - 1, len(whole) - 1)):
        assert body(s3, "m", Range=f"bytes={first}-{last}") == whole[first : last + 1]
    assert body(s3, "m", PartNumber=3) == SECRET
    assert not any(SECRET in content for content in disk(face).values())


def test_a_whole_checksum_of_an_encrypted_upload(s3: Any) -> None:
    begun = s3.create_multipart_upload(
        Bucket=BUCKET, Key="c", ChecksumAlgorithm="CRC32C", ChecksumType="FULL_OBJECT", **KMS
    )
    upload = {"Bucket": BUCKET, "Key": "c", "UploadId": begun["UploadId"]}
    sent = s3.upload_part(**upload, PartNumber=1, Body=SECRET, ChecksumAlgorithm="CRC32C")
    part = {"PartNumber": 1, "ETag": sent["ETag"], "ChecksumCRC32C": sent["ChecksumCRC32C"]}
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]}, ChecksumType="FULL_OBJECT")
    assert done["ChecksumCRC32C"] == sent["ChecksumCRC32C"]
    assert body(s3, "c", ChecksumMode="ENABLED") == SECRET


def test_copies_are_sealed_anew_or_opened(face: RunningFace, s3: Any, key: Key) -> None:
    plain = s3.put_object(Bucket=BUCKET, Key="plain", Body=SECRET[::-1])
    s3.put_object(Bucket=BUCKET, Key="one", Body=SECRET, Metadata={"a": "b"}, **KMS)
    copied = s3.copy_object(Bucket=BUCKET, Key="two", CopySource=f"{BUCKET}/one", SSEKMSKeyId=key.id, **KMS)
    assert copied["SSEKMSKeyId"] == face.vault.arn(key)
    assert s3.head_object(Bucket=BUCKET, Key="two")["Metadata"] == {"a": "b"}
    s3.copy_object(Bucket=BUCKET, Key="opened", CopySource=f"{BUCKET}/two")
    opened = s3.head_object(Bucket=BUCKET, Key="opened")
    assert "ServerSideEncryption" not in opened
    assert opened["ETag"] == f'"{hashlib.md5(SECRET).hexdigest()}"'
    s3.copy_object(Bucket=BUCKET, Key="plain", CopySource=f"{BUCKET}/plain", **KMS)  # onto itself, to encrypt it
    assert s3.head_object(Bucket=BUCKET, Key="plain")["ETag"] != plain["ETag"]
    assert [body(s3, name) for name in ("one", "two", "opened", "plain")] == [SECRET, SECRET, SECRET, SECRET[::-1]]
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="of-parts", **KMS)
    upload = {"Bucket": BUCKET, "Key": "of-parts", "UploadId": begun["UploadId"]}
    part = s3.upload_part_copy(**upload, PartNumber=1, CopySource=f"{BUCKET}/two", CopySourceRange="bytes=4-9")
    etag = part["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert body(s3, "of-parts") == SECRET[4:10]
    s3.delete_object(Bucket=BUCKET, Key="opened")
    assert not any(SECRET in content for content in disk(face).values())


def test_a_bucket_encrypts_what_asks_for_nothing(face: RunningFace, s3: Any, key: Key) -> None:
    face.vault.put_alias(f"alias/{key.id[:8]}", key)
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"alias/{key.id[:8]}"}
    rules = [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    try:
        shown = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
        assert shown == {"Rules": rules}
        put = s3.put_object(Bucket=BUCKET, Key="d", Body=SECRET)
        assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (face.vault.arn(key), True)
        assert (
            s3.put_object(Bucket=BUCKET, Key="d2", Body=SECRET, ServerSideEncryption="AES256").get("SSEKMSKeyId")
            is None
        )
        assert body(s3, "d") == SECRET
    finally:
        s3.delete_bucket_encryption(Bucket=BUCKET)
    assert code_of(s3.get_bucket_encryption)[0] == "ServerSideEncryptionConfigurationNotFoundError"
    assert "ServerSideEncryption" not in s3.put_object(Bucket=BUCKET, Key="d", Body=b"plain")
    bad = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "none"}}]}
    assert code_of(s3.put_bucket_encryption, ServerSideEncryptionConfiguration=bad)[0] == "KMS.NotFoundException"


def test_a_key_that_is_off_opens_nothing_and_seals_nothing(face: RunningFace, s3: Any, key: Key) -> None:
    s3.put_object(Bucket=BUCKET, Key="off", Body=SECRET, SSEKMSKeyId=key.id, **KMS)
    face.vault.change(key, lambda known: replace(known, state="Disabled"))
    told = ("KMS.DisabledException", f"{face.vault.arn(key)} is disabled.", 400)
    assert code_of(s3.get_object, Key="off") == told
    assert code_of(s3.put_object, Key="new", Body=b"x", SSEKMSKeyId=key.id, **KMS) == told
    assert code_of(s3.create_multipart_upload, Key="new", SSEKMSKeyId=key.id, **KMS) == told
    assert code_of(s3.copy_object, Key="new", CopySource=f"{BUCKET}/off") == told
    assert s3.head_object(Bucket=BUCKET, Key="off")["SSEKMSKeyId"] == face.vault.arn(key)
    assert code_of(s3.head_object, Key="new")[2] == 404
    face.vault.change(key, lambda known: replace(known, state="Enabled"))
    assert body(s3, "off") == SECRET


def test_a_sealed_object_is_bound_to_its_name(face: RunningFace, s3: Any) -> None:
    """Whoever moves rows of the index about cannot have one object answered as another."""
    s3.put_object(Bucket=BUCKET, Key="mine", Body=SECRET, **KMS)
    face.storage.index.write(
        lambda connection: connection.execute(
            "INSERT INTO object SELECT bucket, ?, blob, size, etag, modified_at, description FROM object WHERE key = ?",
            (b"yours", b"mine"),
        )
    )
    assert code_of(s3.get_object, Key="yours")[0] == "KMS.InvalidCiphertextException"
    assert body(s3, "mine") == SECRET


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/none"}, "KMS.NotFoundException", "is not found"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:s3:::b"}, "KMS.InvalidArnException", "arn"),
        ({"ServerSideEncryption": "AES256", "SSEKMSKeyId": "k"}, "InvalidArgument", "aws-kms-key-id needs"),
        ({"ServerSideEncryption": "rot13"}, "InvalidArgument", "not supported"),
        ({"ServerSideEncryption": "aws:kms:dsse"}, "NotImplemented", "two layers"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSEncryptionContext": "e30"}, "InvalidArgument", "base64 of a JSON"),
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, "NotImplemented", "SSE-C"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(s3: Any, asked: dict[str, str], code: str, told: str) -> None:
    found = code_of(s3.put_object, Key="refused", Body=b"x", **asked)
    assert found[0] == code
    assert told in found[1]
    assert code_of(s3.head_object, Key="refused")[2] == 404


def test_an_encryption_context_is_kept_and_needed(face: RunningFace, s3: Any) -> None:
    context = base64.b64encode(json.dumps({"team": "a"}).encode()).decode()
    s3.put_object(Bucket=BUCKET, Key="context", Body=SECRET, SSEKMSEncryptionContext=context, **KMS)
    assert body(s3, "context") == SECRET
    encryption = face.storage.objects.get(BUCKET, "context").description.encryption
    assert encryption is not None
    assert encryption.context == {"team": "a"}
