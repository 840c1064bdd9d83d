"""The small readers of S3 requests: ranges, conditions, hosts, names, copy sources, XML, checksums."""

from base64 import b64encode
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.s3.storage.buckets import check_bucket_name
from sagestone.s3.storage.documents import Description, StoredObject
from sagestone.s3.storage.refusal import Refusal
from sagestone.s3_server.checksums import SIZES, checksum_of
from sagestone.s3_server.conditions import check_read
from sagestone.s3_server.copy_operations import read_source
from sagestone.s3_server.ranges import range_of_part, read_range
from sagestone.s3_server.request import bucket_of_host
from sagestone.s3_server.xml_reader import read_document
from sagestone.s3_server.xml_writer import document, element

NOW = 1_700_000_000
OBJECT = StoredObject(bucket="b", key="k", blob="x", size=10, etag="abc", modified_at=NOW, description=Description())


@given(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 60)), st.one_of(st.none(), st.integers(0, 60)))
def test_ranges_are_slices(size: int, first: int | None, last: int | None) -> None:
    data = bytes(range(size))
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None and last is None:
        expected: bytes | None = None
    elif first is None:
        expected = data[-last:] if last else b""
    elif last is not None and last < first:
        expected = None
    else:
        expected = data[first:] if last is None else data[first : last + 1]
    try:
        found = read_range(header, size)
    except Refusal as refusal:
        assert refusal.code == "InvalidRange"  # noqa: PT017
        assert expected == b""
    else:
        assert (None if found is None else data[found[0] : found[1]]) == expected


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=", "bytes=a-b", "bytes=1-2,4-5", "items=0-1", "bytes=--1"]
)
def test_ranges_of_another_form_do_not_count(header: str | None) -> None:
    assert read_range(header, 10) is None


def test_parts_of_an_object() -> None:
    assert range_of_part(1, (), 10) == (0, 10)
    assert range_of_part(2, (4, 6), 10) == (4, 10)
    with pytest.raises(Refusal):
        range_of_part(3, (4, 6), 10)


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, True),
        ({"if-match": '"abc"'}, True),
        ({"if-match": '"x", "abc"'}, True),
        ({"if-match": "*"}, True),
        ({"if-match": '"x"'}, "PreconditionFailed"),
        ({"if-none-match": '"abc"'}, False),
        ({"if-none-match": '"x"'}, True),
        ({"if-modified-since": formatdate(NOW, usegmt=True)}, False),
        ({"if-modified-since": formatdate(NOW - 1, usegmt=True)}, True),
        ({"if-modified-since": "yesterday"}, True),
        ({"if-unmodified-since": formatdate(NOW, usegmt=True)}, True),
        ({"if-unmodified-since": formatdate(NOW - 1, usegmt=True)}, "PreconditionFailed"),
        ({"if-match": '"abc"', "if-unmodified-since": formatdate(NOW - 1, usegmt=True)}, True),
        ({"if-none-match": '"abc"', "if-modified-since": formatdate(NOW - 1, usegmt=True)}, False),
        ({"if-none-match": '"x"', "if-modified-since": formatdate(NOW, usegmt=True)}, True),
    ],
)
def test_conditions_on_reading(headers: dict[str, str], outcome: bool | str) -> None:
    if isinstance(outcome, bool):
        assert check_read(headers, OBJECT) is outcome
    else:
        with pytest.raises(Refusal) as refused:
            check_read(headers, OBJECT)
        assert refused.value.code == outcome


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("localhost:8470", ""),
        ("127.0.0.1:8470", ""),
        ("data.localhost:8470", "data"),
        ("Data.LOCALHOST", "data"),
        ("my.dotted.bucket.localhost", "my.dotted.bucket"),
        ("data.s3.localhost:1", "data"),
        ("s3.localhost", ""),
        ("data.sm.test", "data"),
        ("elsewhere.example", ""),
        ("[::1]:8470", ""),
        ("", ""),
    ],
)
def test_buckets_in_host_names(host: str, bucket: str) -> None:
    assert bucket_of_host(host, ("localhost", "sm.test")) == bucket


@pytest.mark.parametrize("name", ["abc", "a-b.c9", "sagemaker-us-east-1-123456789012", "1bucket", "a" * 63])
def test_bucket_names(name: str) -> None:
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Upper", "under_score", "-a-", "a..b", "1.2.3.4", "xn--abc", "a-s3alias", "a b c", "äöü"]
)
def test_bad_bucket_names(name: str) -> None:
    with pytest.raises(Refusal, match="not valid"):
        check_bucket_name(name)


def test_copy_sources() -> None:
    assert read_source("b/a%20b/c") == read_source("/b/a%20b/c") == ("b", "a b/c")
    assert read_source("b//x?versionId=null") == ("b", "/x")
    for bad in ("", "b", "b/", "/b/", "b/k?versionId=3", "arn:aws:s3:us-east-1:1:accesspoint/x/object/k", "b/%ff"):
        with pytest.raises(Refusal):
            read_source(bad)


def test_checksums_of_known_text() -> None:
    """The check values that the algorithms are published with, and the SHA sums of `123456789`."""
    expected = {"crc32": 0xCBF43926, "crc32c": 0xE3069283, "crc64nvme": 0xAE8B14860A799888}
    for algorithm, value in expected.items():
        encoded = b64encode(value.to_bytes(SIZES[algorithm], "big")).decode()
        assert checksum_of(algorithm, [b"1234", b"56789"]) == encoded
    sha1 = bytes.fromhex("f7c3bc1d808e04732adf679965ccc34ca7ae3441")
    assert checksum_of("sha1", [b"123456789"]) == b64encode(sha1).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"<Other/>",
        b'<!DOCTYPE x [<!ENTITY e "boom">]><Delete>&e;</Delete>',
        b"<Delete>&undefined;</Delete>",
        b'<?xml version="1.0" encoding="utf-16"?>' + "<!DOCTYPE x><Delete/>".encode("utf-16"),
        b"\xff\xfe<Delete/>",
        b"<Delete>" + b"<a>" * 100 + b"</a>" * 100 + b"</Delete>",
        b"<Delete/><Delete/>",
    ],
)
def test_bad_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_document(body, "Delete")
    assert refused.value.code == "MalformedXML"


def test_a_document_has_not_more_elements_than_any_request_can_use() -> None:
    whole = (
        "<CompleteMultipartUpload>" + "<Part><a/><b/><c/><d/><e/><f/></Part>" * 10_000 + "</CompleteMultipartUpload>"
    )
    assert len(read_document(whole.encode(), "CompleteMultipartUpload").all("Part")) == 10_000
    with pytest.raises(Refusal, match="more than 100000 elements"):
        read_document(b"<Delete>" + b"<a/>" * 2_000_000 + b"</Delete>", "Delete")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).filter(lambda text: "\ufffe" not in text))
def test_xml_text_comes_back(text: str) -> None:
    if "\uffff" in text:
        return
    body = document("Delete", element("Key", text))
    assert (read_document(body, "Delete").get("Key") or "") == text
