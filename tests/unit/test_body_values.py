"""A body of megabytes cannot say so many things that it takes gigabytes; all that requests can use is read."""

import json
import sys
from typing import Any

import cbor2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.wire.body_values import MOST_VALUES, too_many_in_cbor, too_many_in_json
from sagestone.wire.errors import SerializationException
from sagestone.wire.form import CBOR, JSON

TEXTS = st.text(st.sampled_from('a,[{"\\:é]} '), max_size=12)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=40,
)


def values(document: Any, *, keys: bool) -> int:
    if isinstance(document, list):
        return 1 + sum(values(each, keys=keys) for each in document)
    if isinstance(document, dict):
        return 1 + sum(values(each, keys=keys) for each in document.values()) + (len(document) if keys else 0)
    return 1


def empty_ones(document: Any) -> int:
    """Lists and objects with nothing in them count twice."""
    if not isinstance(document, list | dict):
        return 0
    inner = document if isinstance(document, list) else list(document.values())
    return sum(map(empty_ones, inner)) if inner else 1


@given(DOCUMENTS, st.integers(0, 60))
def test_json_is_counted_outside_its_texts(document: Any, most: int) -> None:
    counted = values(document, keys=False) + empty_ones(document)
    for body in (json.dumps(document).encode(), orjson.dumps(document, option=orjson.OPT_INDENT_2)):
        assert too_many_in_json(body, most) == (counted > most and len(body) > most)


@given(DOCUMENTS, st.integers(0, 60))
def test_cbor_is_counted(document: Any, most: int) -> None:
    assert too_many_in_cbor(cbor2.dumps(document), most) == (values(document, keys=True) > most)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (JSON, b"[" + b"{}," * 2_700_000 + b"{}]"),
        (JSON, b"[" + b'"",' * 2_700_000 + b'""]'),
        (JSON, b'"' * 8_000_000 + b"," * MOST_VALUES),
        (CBOR, b"\x9a\x00\x7a\x12\x00" + b"\xa0" * 8_000_000),
        (CBOR, b"\x9f" + b"\xc1\x80" * 4_000_000 + b"\xff"),
    ],
)
def test_a_body_of_nothing_but_values_is_refused(form: Any, body: bytes) -> None:
    with pytest.raises(SerializationException, match="more than 100000 values"):
        form.read(body)


def test_texts_of_megabytes_are_read() -> None:
    document = {"Text": "[{,\\" * 1_000_000, "More": ["x" * 500] * 5_000}
    assert JSON.read(json.dumps(document).encode()) == document
    assert CBOR.read(cbor2.dumps(document)) == document


def test_what_is_read_takes_no_more_than_some_times_its_bytes() -> None:
    """The worst that is let through: objects of one byte each."""
    body = b"\x9a" + (MOST_VALUES - 1).to_bytes(4, "big") + b"\xa0" * (MOST_VALUES - 1)
    found = CBOR.read(body)
    assert len(found) == MOST_VALUES - 1
    assert sum(map(sys.getsizeof, found)) < 10_000_000
