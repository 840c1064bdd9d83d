"""Manifests: what they name, and what is said about bad ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.s3.listing import BadS3Input, parse_manifest
from sagestone.s3.uri import S3Uri

MANIFEST = S3Uri("data", "lists/train.manifest")


@given(st.text(max_size=10), st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=5))
def test_prefix_and_entries_are_joined(prefix: str, entries: list[str]) -> None:
    content = json.dumps([{"prefix": f"s3://data/{prefix}"}, *entries]).encode()
    assert parse_manifest(content, MANIFEST) == [S3Uri("data", prefix + entry) for entry in entries]


def test_a_byte_order_mark_is_no_harm() -> None:
    content = b'\xef\xbb\xbf[{"prefix": "s3://data/"}, "k"]'
    assert parse_manifest(content, MANIFEST) == [S3Uri("data", "k")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"a,b\n1,2\n", "not JSON"),
        (b'["\xff"]', "not "),
        (b'[{"prefix": "s3://b/"}, ' + b"[" * 100_000, "nested too deeply"),
        (b"{}", "array"),
        (b"[]", "array"),
        (b'["a"]', "prefix"),
        (b'[{"prefix": 1}, "a"]', "prefix"),
        (b'[{"prefix": "s3://b/", "x": 1}, "a"]', "prefix"),
        (b'[{"prefix": "https://b/"}, "a"]', "not an S3 URI"),
        (b'[{"prefix": "s3:///x"}, "a"]', "not an S3 URI"),
        (b'[{"prefix": "s3://b/"}]', "names no objects"),
        (b'[{"prefix": "s3://b/"}, 1]', "entry 1"),
        (b'[{"prefix": "s3://b/"}, "a", {"source-ref": "s3://b/c"}]', "entry 2"),
        (b'[{"prefix": "s3://b/"}, ""]', "entry 1"),
        (b'[{"prefix": "s3://b"}, "ad/key"]', "entry 1"),
    ],
)
def test_bad_manifests_are_named_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(BadS3Input, match=r"s3://data/lists/train\.manifest") as raised:
        parse_manifest(content, MANIFEST)
    assert says in str(raised.value)
