"""Objects as unmodified boto3 sees them: put, get, head, delete, copy, list, with conditions, ranges and checksums."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_face import RunningFace, running_face

ODD_KEYS = [
    "/lead",
    "a/../b",
    "a//b",
    "..",
    ".",
    "d/",
    "p",
    "p/q",
    "x y+%20",
    "tab\t",
    "nl\n\x01",
    "ü\U0001f600",
    "k" * 1024,
]


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="module")
def s3(face: RunningFace) -> Any:
    return face.client()


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = "b" + hashlib.md5(request.node.name.encode(), usedforsecurity=False).hexdigest()
    s3.create_bucket(Bucket=name)
    return name


def code_of(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


class TestObjects:
    def test_what_was_put_comes_back(self, s3: Any, bucket: str) -> None:
        headers = {
            "ContentType": "text/csv; charset=utf-8",
            "ContentEncoding": "gzip",
            "CacheControl": "no-store",
            "ContentDisposition": 'attachment; filename="x"',
            "ContentLanguage": "de",
        }
        data = b"\x1f\x8b not really gzip"
        put = s3.put_object(Bucket=bucket, Key="k", Body=data, Metadata={"colour": "blue", "n": "1"}, **headers)
        assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["Body"].read() == data
        head = s3.head_object(Bucket=bucket, Key="k")
        for answer in (got, head):
            assert {name: answer[name] for name in headers} == headers
            assert answer["Metadata"] == {"colour": "blue", "n": "1"}
            assert answer["ContentLength"] == len(data)
            assert answer["ETag"] == put["ETag"]

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_keys_are_any_bytes(self, s3: Any, bucket: str, key: str) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        assert [each["Key"] for each in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        assert s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}]})
        assert [each["Key"] for each in deleted["Deleted"]] == ["copy"]
        s3.delete_object(Bucket=bucket, Key=key)
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)

    def test_a_key_that_is_too_long(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")
        assert code_of(raised) == "KeyTooLongError"

    def test_ranges(self, s3: Any, bucket: str) -> None:
        data = os.urandom(200_000)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        for header, expected in {
            "bytes=0-0": data[:1],
            "bytes=5-": data[5:],
            "bytes=-7": data[-7:],
            "bytes=100-150000": data[100:150001],
            "bytes=199999-999999": data[199999:],
        }.items():
            got = s3.get_object(Bucket=bucket, Key="k", Range=header)
            assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert got["Body"].read() == expected
            assert "ChecksumCRC32" not in got
        with pytest.raises(ClientError) as raised:
            s3.get_object(Bucket=bucket, Key="k", Range="bytes=200000-")
        assert code_of(raised) == "InvalidRange"
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416
        part = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
        assert part["Body"].read() == data

    def test_response_headers_can_be_asked_for(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        got = s3.get_object(
            Bucket=bucket, Key="k", ResponseContentType="text/x-y", ResponseContentDisposition="inline; x"
        )
        assert (got["ContentType"], got["ContentDisposition"]) == ("text/x-y", "inline; x")

    def test_conditional_reads(self, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
        assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"x"
        with pytest.raises(ClientError) as raised:
            s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')
        assert code_of(raised) == "PreconditionFailed"
        with pytest.raises(ClientError) as raised:
            s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304

    def test_conditional_writes(self, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
        for conditions in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
            with pytest.raises(ClientError) as raised:
                s3.put_object(Bucket=bucket, Key="k", Body=b"2", **conditions)
            assert code_of(raised) == "PreconditionFailed"
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=bucket, Key="nothing", Body=b"2", IfMatch=etag)
        assert code_of(raised) == "NoSuchKey"
        s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"])
    def test_checksums_are_checked_kept_and_given_back(self, s3: Any, bucket: str, algorithm: str) -> None:
        from sagestone.s3_server.checksums import checksum_of

        value = checksum_of(algorithm.lower(), [b"hello"])
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", **{f"Checksum{algorithm}": value})
        assert put[f"Checksum{algorithm}"] == value
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (value, "FULL_OBJECT")
        assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="k")
        assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == b"hello"
        wrong = checksum_of(algorithm.lower(), [b"other"])
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=bucket, Key="k", Body=b"spoilt", **{f"Checksum{algorithm}": wrong})
        assert code_of(raised) == "BadDigest"
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"

    def test_content_md5_is_checked(self, s3: Any, bucket: str) -> None:
        for value, code in {
            "XUFAKrxLKna5cZ2REBfFkg==": "",
            "AAAAAAAAAAAAAAAAAAAAAA==": "BadDigest",
            "x": "InvalidDigest",
        }.items():
            if not code:
                s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentMD5=value)
                continue
            with pytest.raises(ClientError) as raised:
                s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentMD5=value)
            assert code_of(raised) == code

    def test_copies(self, s3: Any, bucket: str) -> None:
        source = s3.put_object(Bucket=bucket, Key="a", Body=b"data", Metadata={"m": "1"}, ContentType="text/plain")
        copied = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")["CopyObjectResult"]
        assert copied["ETag"] == source["ETag"]
        s3.delete_object(Bucket=bucket, Key="a")
        head = s3.head_object(Bucket=bucket, Key="b")
        assert (head["Metadata"], head["ContentType"]) == ({"m": "1"}, "text/plain")
        s3.copy_object(
            Bucket=bucket, Key="b", CopySource=f"{bucket}/b", MetadataDirective="REPLACE", Metadata={"m": "2"}
        )
        head = s3.head_object(Bucket=bucket, Key="b")
        assert (head["Metadata"], head["ContentType"]) == ({"m": "2"}, "binary/octet-stream")
        assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"data"
        for wrong, code in [
            ({"Key": "b"}, "InvalidRequest"),
            ({"Key": "c", "CopySourceIfMatch": '"x"'}, "PreconditionFailed"),
            ({"Key": "c", "CopySourceIfNoneMatch": copied["ETag"]}, "PreconditionFailed"),
        ]:
            with pytest.raises(ClientError) as raised:
                s3.copy_object(Bucket=bucket, CopySource=f"{bucket}/b", **wrong)
            assert code_of(raised) == code
        with pytest.raises(ClientError) as raised:
            s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/gone")
        assert code_of(raised) == "NoSuchKey"

    def test_listing_with_delimiter_and_pages(self, s3: Any, bucket: str) -> None:
        for key in ("a/1", "a/2", "b", "c/1", "c/2/3", "d"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        for operation in ("list_objects", "list_objects_v2"):
            pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
            seen = []
            for page in pages:
                seen += [each["Key"] for each in page.get("Contents", ())]
                seen += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            assert seen == ["a/", "b", "c/", "d"]
        found = s3.list_objects_v2(Bucket=bucket, StartAfter="b", FetchOwner=True)
        assert [each["Key"] for each in found["Contents"]] == ["c/1", "c/2/3", "d"]
        assert found["Contents"][0]["Owner"]["ID"]
        assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
        with pytest.raises(ClientError) as raised:
            s3.list_objects_v2(Bucket=bucket, ContinuationToken="made up")
        assert code_of(raised) == "InvalidArgument"

    def test_delete_many(self, s3: Any, bucket: str) -> None:
        keys = [f"k{number}" for number in range(20)]
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        wanted = [{"Key": key} for key in [*keys[:19], "absent"]] + [{"Key": "k19", "VersionId": "1"}]
        found = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
        assert len(found["Deleted"]) == 20
        assert [(each["Key"], each["Code"]) for each in found["Errors"]] == [("k19", "NotImplemented")]
        assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k19"]
        quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k19"}], "Quiet": True})
        assert "Deleted" not in quiet

    def test_readers_keep_what_they_opened(self, s3: Any, bucket: str, tmp_path: Path) -> None:
        old, new = os.urandom(16 * 1024 * 1024), os.urandom(1024)
        s3.put_object(Bucket=bucket, Key="k", Body=old)
        got = s3.get_object(Bucket=bucket, Key="k")
        first = got["Body"].read(10)
        s3.put_object(Bucket=bucket, Key="k", Body=new)
        s3.delete_object(Bucket=bucket, Key="k")
        assert first + got["Body"].read() == old
