"""Augmented manifests: what a line sends, and what is said of a line that is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.augmented import LONGEST_LINE_BYTES, line_items, manifest_lines
from sagestone.channels.elements import Item, Reference, Value
from sagestone.s3.listing import BadS3Input
from sagestone.s3.uri import S3Uri

MANIFEST = S3Uri("data", "train.manifest")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _sent(manifest: bytes, *names: str, cut: int = 1000) -> list[list[Item]]:
    pieces = [manifest[place : place + cut] for place in range(0, len(manifest), cut)]
    return [list(line_items(line, MANIFEST)) for line in manifest_lines(pieces, MANIFEST, names)]


def test_attributes_come_in_the_order_asked_for_and_no_others() -> None:
    line = (
        b'{"label": 7, "image-ref": "s3://data/a%20b.png", "box": {"x": [1,  2.50]}, "name": "h\\u00e9", "skip": 1}\n'
    )
    assert _sent(b"\xef\xbb\xbf" + line + b"\r\n \n" + line, "name", "image-ref", "box", "label") == [
        [
            Value("hé".encode()),
            Reference(S3Uri("data", "a%20b.png"), f"line {number} of s3://data/train.manifest"),
            Value(b'{"x": [1,  2.50]}'),
            Value(b"7"),
        ]
        for number in (1, 4)
    ]


@given(st.lists(st.tuples(JSON, JSON), min_size=1), st.integers(1, 50))
def test_values_are_text_as_they_stand_in_the_manifest(rows: list[tuple[Any, Any]], cut: int) -> None:
    manifest = b"".join(json.dumps({"b": second, "a": first}).encode() + b"\n" for first, second in rows)
    expected = [
        [Value((value if isinstance(value, str) else json.dumps(value)).encode()) for value in row] for row in rows
    ]
    assert _sent(manifest, "a", "b", cut=cut) == expected


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"a": 1', "is not JSON"),
        (b'{"a": 1} {"a": 2}', "is not JSON"),
        (b'["a"]', "is no JSON object"),
        (b'{"a": ' + b"[" * 100_000, "is nested too deeply"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"A": 1, "b": 2}', r"has no attribute 'a', which AttributeNames lists; it has \['A', 'b'\]"),
        (b'{"a": 1}', "has no attribute 'x-ref'"),
        (b'{"a": 1, "x-ref": 5}', "has '5' as 'x-ref', which is no S3 URI"),
        (b'{"a": 1, "x-ref": "data/key"}', "which is no S3 URI"),
        (b'{"a": 1, "x-ref": "s3://bucket/"}', "where the URI of an object is expected"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(line: bytes, says: str) -> None:
    good = b'{"a": 1, "x-ref": "s3://b/k"}\n'
    message = f'Line 3 of the augmented manifest "s3://data/train.manifest" .*{says}'
    with pytest.raises(BadS3Input, match=message):
        _sent(good + b"\n" + line + b"\n" + good, "a", "x-ref")


@pytest.mark.parametrize("nothing", [b"", b"\n", b" \r\n\t\n"])
def test_a_manifest_without_lines_says_so(nothing: bytes) -> None:
    with pytest.raises(BadS3Input, match=r'The augmented manifest "s3://data/train\.manifest" has no lines'):
        _sent(nothing, "a")


def test_a_line_without_end_is_not_held_in_memory() -> None:
    pieces = iter([b'{"a": 1}\n', *[b" " * 1024 * 1024] * 1000])
    with pytest.raises(BadS3Input, match=f"Line 2 .* has more than {LONGEST_LINE_BYTES} bytes"):
        list(manifest_lines(pieces, MANIFEST, ["a"]))
    assert sum(1 for _ in pieces) > 900
