"""Multipart uploads as unmodified boto3 sees them."""

import hashlib
import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_face import RunningFace, running_face

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("s3")) as running:
        running.storage.buckets.create("data", "us-east-1", 0.0)
        yield running


@pytest.fixture(scope="module")
def s3(face: RunningFace) -> Any:
    return face.client()


def begin(s3: Any, key: str, **more: Any) -> dict[str, str]:
    upload = s3.create_multipart_upload(Bucket="data", Key=key, **more)
    return {"Bucket": "data", "Key": key, "UploadId": upload["UploadId"]}


def complete(s3: Any, upload: dict[str, str], parts: list[tuple[int, str]], **more: Any) -> Any:
    named = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named}, **more)


def code_of(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


class TestMultipart:
    def test_parts_in_any_order(self, s3: Any) -> None:
        s3.put_object(Bucket="data", Key="any", Body=b"old")
        upload = begin(s3, "any", Metadata={"m": "1"}, ContentType="text/plain")
        first, second = os.urandom(5 * MIB), os.urandom(1000)
        s3.upload_part(**upload, PartNumber=7, Body=b"replaced below")
        etag2 = s3.upload_part(**upload, PartNumber=7, Body=second)["ETag"]
        etag1 = s3.upload_part(**upload, PartNumber=2, Body=first)["ETag"]
        dropped = s3.upload_part(**upload, PartNumber=9, Body=b"not named at the end")["ETag"]
        assert s3.get_object(Bucket="data", Key="any")["Body"].read() == b"old"
        listed = s3.list_parts(**upload)["Parts"]
        assert [(each["PartNumber"], each["Size"], each["ETag"]) for each in listed] == [
            (2, len(first), etag1),
            (7, len(second), etag2),
            (9, 20, dropped),
        ]
        done = complete(s3, upload, [(2, etag1), (7, etag2)])
        digests = hashlib.md5(first).digest() + hashlib.md5(second).digest()
        assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
        got = s3.get_object(Bucket="data", Key="any")
        assert got["Body"].read() == first + second
        assert (got["ETag"], got["Metadata"], got["ContentType"]) == (done["ETag"], {"m": "1"}, "text/plain")
        part = s3.get_object(Bucket="data", Key="any", PartNumber=2)
        assert (part["Body"].read(), part["PartsCount"]) == (second, 2)
        with pytest.raises(ClientError) as raised:
            s3.list_parts(**upload)
        assert code_of(raised) == "NoSuchUpload"

    def test_what_cannot_be_completed_changes_nothing(self, s3: Any) -> None:
        s3.put_object(Bucket="data", Key="bad", Body=b"old")
        upload = begin(s3, "bad")
        etags = {number: s3.upload_part(**upload, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)}
        for parts, code in [
            ([(1, etags[1]), (2, etags[2])], "EntityTooSmall"),
            ([(2, etags[2]), (1, etags[1])], "InvalidPartOrder"),
            ([(1, etags[1]), (1, etags[1])], "InvalidPartOrder"),
            ([(1, '"0123"')], "InvalidPart"),
            ([(3, etags[1])], "InvalidPart"),
            ([], "MalformedXML"),
        ]:
            with pytest.raises(ClientError) as raised:
                complete(s3, upload, parts)
            assert code_of(raised) == code
        with pytest.raises(ClientError) as raised:
            complete(s3, upload, [(1, etags[1])], IfNoneMatch="*")
        assert code_of(raised) == "PreconditionFailed"
        assert s3.get_object(Bucket="data", Key="bad")["Body"].read() == b"old"
        for number in (0, 10001):
            with pytest.raises(ClientError) as raised:
                s3.upload_part(**upload, PartNumber=number, Body=b"x")
            assert code_of(raised) == "InvalidArgument"
        complete(s3, upload, [(1, etags[1])])
        assert s3.get_object(Bucket="data", Key="bad")["Body"].read() == b"small"

    def test_abort(self, s3: Any, face: RunningFace) -> None:
        upload = begin(s3, "aborted")
        s3.upload_part(**upload, PartNumber=1, Body=b"x" * MIB)
        before = sum(1 for path in face.storage.blobs.directory.rglob("*") if path.is_file())
        s3.abort_multipart_upload(**upload)
        assert sum(1 for path in face.storage.blobs.directory.rglob("*") if path.is_file()) == before - 1
        for call in (s3.abort_multipart_upload, lambda **names: s3.upload_part(**names, PartNumber=1, Body=b"x")):
            with pytest.raises(ClientError) as raised:
                call(**upload)
            assert code_of(raised) == "NoSuchUpload"

    def test_uploads_are_listed_in_pages(self, s3: Any) -> None:
        names = [("list/a", begin(s3, "list/a")), ("list/a", begin(s3, "list/a")), ("list/b/c", begin(s3, "list/b/c"))]
        expected = sorted((key, upload["UploadId"]) for key, upload in names)
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket="data", Prefix="list/", PaginationConfig={"PageSize": 1}
        )
        found = [(each["Key"], each["UploadId"]) for page in pages for each in page.get("Uploads", ())]
        assert found == expected
        folded = s3.list_multipart_uploads(Bucket="data", Prefix="list/", Delimiter="/")
        assert [each["Prefix"] for each in folded["CommonPrefixes"]] == ["list/b/"]
        for _, upload in names:
            s3.abort_multipart_upload(**upload)

    def test_parts_can_be_copied(self, s3: Any) -> None:
        data = os.urandom(6 * MIB)
        s3.put_object(Bucket="data", Key="source", Body=data)
        upload = begin(s3, "from-copies")
        whole = s3.upload_part_copy(**upload, PartNumber=1, CopySource="data/source")["CopyPartResult"]["ETag"]
        some = s3.upload_part_copy(**upload, PartNumber=2, CopySource="data/source", CopySourceRange="bytes=10-19")[
            "CopyPartResult"
        ]["ETag"]
        with pytest.raises(ClientError) as raised:
            s3.upload_part_copy(
                **upload, PartNumber=3, CopySource="data/source", CopySourceRange=f"bytes=0-{len(data)}"
            )
        assert code_of(raised) == "InvalidArgument"
        complete(s3, upload, [(1, whole), (2, some)])
        assert s3.get_object(Bucket="data", Key="from-copies")["Body"].read() == data + data[10:20]

    @pytest.mark.parametrize(
        ("algorithm", "kind"),
        [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("SHA256", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT")],
    )
    def test_checksums_of_the_whole(self, s3: Any, algorithm: str, kind: str) -> None:
        from sagestone.s3_server.checksums import checksum_of

        upload = begin(s3, "summed", ChecksumAlgorithm=algorithm, ChecksumType=kind)
        pieces = [os.urandom(5 * MIB), b"end"]
        name = f"Checksum{algorithm}"
        parts = []
        for number, piece in enumerate(pieces, start=1):
            sent = s3.upload_part(**upload, PartNumber=number, Body=piece, ChecksumAlgorithm=algorithm)
            assert sent[name] == checksum_of(algorithm.lower(), [piece])
            parts.append({"PartNumber": number, "ETag": sent["ETag"], name: sent[name]})
        done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert done["ChecksumType"] == kind
        if kind == "FULL_OBJECT":
            assert done[name] == checksum_of(algorithm.lower(), pieces)
        else:
            assert done[name].endswith("-2")
        got = s3.get_object(Bucket="data", Key="summed", ChecksumMode="ENABLED")
        assert got[name] == done[name]
        assert got["Body"].read() == b"".join(pieces)

    def test_boto3s_own_transfers(self, s3: Any) -> None:
        data = os.urandom(20 * MIB + 3)
        s3.upload_fileobj(io.BytesIO(data), "data", "transfer")
        back = io.BytesIO()
        s3.download_fileobj("data", "transfer", back)
        assert back.getvalue() == data
        s3.copy({"Bucket": "data", "Key": "transfer"}, "data", "transferred")
        assert s3.get_object(Bucket="data", Key="transferred")["Body"].read() == data
