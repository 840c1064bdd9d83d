"""Buckets as unmodified boto3 sees them, and everything that is refused without touching anything."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_face import ACCOUNT, RunningFace, running_face


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFace]:
    with running_face(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="module")
def s3(face: RunningFace) -> Any:
    return face.client()


def code_of(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


class TestBuckets:
    def test_life_of_a_bucket(self, s3: Any) -> None:
        s3.create_bucket(Bucket="life")
        s3.create_bucket(Bucket="life")  # in us-east-1 that is no error
        assert "life" in [each["Name"] for each in s3.list_buckets()["Buckets"]]
        assert s3.head_bucket(Bucket="life")["BucketRegion"] == "us-east-1"
        assert s3.get_bucket_location(Bucket="life")["LocationConstraint"] is None
        assert "Status" not in s3.get_bucket_versioning(Bucket="life")
        s3.put_object(Bucket="life", Key="k", Body=b"")
        with pytest.raises(ClientError) as raised:
            s3.delete_bucket(Bucket="life")
        assert code_of(raised) == "BucketNotEmpty"
        s3.delete_object(Bucket="life", Key="k")
        s3.delete_bucket(Bucket="life")
        with pytest.raises(ClientError) as raised:
            s3.head_bucket(Bucket="life")
        assert code_of(raised) == "404"

    def test_a_bucket_elsewhere(self, s3: Any) -> None:
        where = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration=where)
        assert s3.get_bucket_location(Bucket="elsewhere")["LocationConstraint"] == "eu-central-1"
        assert s3.head_bucket(Bucket="elsewhere")["BucketRegion"] == "eu-central-1"
        with pytest.raises(ClientError) as raised:
            s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration=where)
        assert code_of(raised) == "BucketAlreadyOwnedByYou"
        with pytest.raises(ClientError) as raised:
            s3.create_bucket(Bucket="nowhere", CreateBucketConfiguration={"LocationConstraint": "the moon"})
        assert code_of(raised) == "InvalidLocationConstraint"

    def test_pages_of_buckets(self, s3: Any) -> None:
        for name in ("page-a", "page-b", "page-c"):
            s3.create_bucket(Bucket=name)
        pages = s3.get_paginator("list_buckets").paginate(Prefix="page-", PaginationConfig={"PageSize": 2})
        assert [[each["Name"] for each in page["Buckets"]] for page in pages] == [["page-a", "page-b"], ["page-c"]]

    def test_what_is_not_there(self, s3: Any) -> None:
        for operation in ("list_objects_v2", "list_objects", "get_bucket_location", "list_multipart_uploads"):
            with pytest.raises(ClientError) as raised:
                getattr(s3, operation)(Bucket="not-there")
            assert code_of(raised) == "NoSuchBucket"
        for operation in ("put_object", "get_object", "delete_object", "create_multipart_upload"):
            with pytest.raises(ClientError) as raised:
                getattr(s3, operation)(Bucket="not-there", Key="k")
            assert code_of(raised) == "NoSuchBucket"

    def test_the_owner_that_is_expected(self, s3: Any) -> None:
        s3.create_bucket(Bucket="owned")
        s3.head_bucket(Bucket="owned", ExpectedBucketOwner=ACCOUNT)
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket="owned", Key="k", Body=b"", ExpectedBucketOwner="999999999999")
        assert code_of(raised) == "AccessDenied"


class TestRefused:
    """Sub-resources and headers that are not served never touch the object or the bucket."""

    @pytest.mark.parametrize(
        ("operation", "arguments"),
        [
            ("put_object_tagging", {"Key": "k", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
            ("delete_object_tagging", {"Key": "k"}),
            ("get_object_tagging", {"Key": "k"}),
            ("put_object_acl", {"Key": "k", "ACL": "private"}),
            ("get_object_acl", {"Key": "k"}),
            ("put_object_legal_hold", {"Key": "k", "LegalHold": {"Status": "ON"}}),
            ("put_object_retention", {"Key": "k", "Retention": {"Mode": "GOVERNANCE"}}),
            ("restore_object", {"Key": "k", "RestoreRequest": {"Days": 1}}),
            ("get_object_torrent", {"Key": "k"}),
            ("get_object_attributes", {"Key": "k", "ObjectAttributes": ["ETag"]}),
            ("delete_object", {"Key": "k", "VersionId": "1"}),
            ("get_object", {"Key": "k", "VersionId": "1"}),
            ("put_object", {"Key": "k", "Body": b"new", "ACL": "public-read"}),
            ("put_object", {"Key": "k", "Body": b"new", "StorageClass": "GLACIER"}),
            ("put_object", {"Key": "k", "Body": b"new", "Tagging": "a=b"}),
            ("put_object", {"Key": "k", "Body": b"new", "ServerSideEncryption": "aws:kms:dsse"}),
            ("put_object", {"Key": "k", "Body": b"new", "WebsiteRedirectLocation": "/x"}),
            ("put_object", {"Key": "k", "Body": b"new", "GrantRead": "id=x"}),
            ("put_object", {"Key": "k", "Body": b"new", "WriteOffsetBytes": 3}),
            ("delete_bucket_lifecycle", {}),
            ("delete_bucket_tagging", {}),
            ("delete_bucket_policy", {}),
            ("delete_bucket_cors", {}),
            ("delete_bucket_website", {}),
            ("delete_public_access_block", {}),
            ("put_bucket_policy", {"Policy": "{}"}),
            ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
            ("put_bucket_acl", {"ACL": "private"}),
            ("get_bucket_acl", {}),
            ("list_object_versions", {}),
            ("get_bucket_notification_configuration", {}),
        ],
    )
    def test_not_supported(self, s3: Any, operation: str, arguments: dict[str, Any]) -> None:
        s3.create_bucket(Bucket="refusing")
        etag = s3.put_object(Bucket="refusing", Key="k", Body=b"here")["ETag"]
        with pytest.raises(ClientError) as raised:
            getattr(s3, operation)(Bucket="refusing", **arguments)
        assert code_of(raised) == "NotImplemented"
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert s3.get_object(Bucket="refusing", Key="k")["Body"].read() == b"here"
        assert s3.head_object(Bucket="refusing", Key="k")["ETag"] == etag

    @pytest.mark.parametrize("operation", ["delete_bucket_lifecycle", "delete_bucket_tagging", "delete_bucket_policy"])
    def test_an_empty_bucket_stays(self, s3: Any, operation: str) -> None:
        s3.create_bucket(Bucket="empty-one")
        with pytest.raises(ClientError):
            getattr(s3, operation)(Bucket="empty-one")
        s3.head_bucket(Bucket="empty-one")

    @pytest.mark.parametrize(
        ("operation", "code"),
        [
            ("get_bucket_policy", "NoSuchBucketPolicy"),
            ("get_bucket_tagging", "NoSuchTagSet"),
            ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
            ("get_bucket_cors", "NoSuchCORSConfiguration"),
            ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ],
    )
    def test_what_a_bucket_does_not_have_is_said(self, s3: Any, operation: str, code: str) -> None:
        s3.create_bucket(Bucket="plain-one")
        with pytest.raises(ClientError) as raised:
            getattr(s3, operation)(Bucket="plain-one")
        assert code_of(raised) == code
