"""Bodies in CBOR: they mean what the same in JSON would mean, and none costs more than its bytes."""

import base64
import contextlib
import struct
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.shapes.service_model import load_service_model
from sagestone.wire.cbor import BadCbor, cbor_time, read_cbor, write_cbor
from sagestone.wire.errors import InvalidParameterValue, SerializationException
from sagestone.wire.form import CBOR, JSON
from sagestone.wire.reply import ReplyWriter, error_body

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES)
def test_what_json_can_say_comes_back(value: Any) -> None:
    assert read_cbor(write_cbor(value)) == value


@given(data=st.binary(max_size=30))
def test_byte_strings_are_read_as_base64(data: bytes) -> None:
    assert read_cbor(cbor2.dumps({"a": data})) == {"a": base64.b64encode(data).decode()}


@given(seconds=st.integers(-(10**9), 4 * 10**9))
def test_times_are_tagged_seconds(seconds: int) -> None:
    told = cbor_time(datetime.fromtimestamp(seconds, UTC))
    assert cbor2.dumps(told) == b"\xc1\xfb" + struct.pack(">d", seconds)
    assert read_cbor(cbor2.dumps(told)) == seconds


@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadCbor):
        assert isinstance(read_cbor(body), dict | list | str | int | float | None)


@pytest.mark.parametrize(
    "body",
    [
        b"\x9b" + b"\xff" * 8,  # a list of 2^64 - 1
        b"\x7b\x00\x00\xff\xff\xff\xff\xff\xffx",  # a text of 2^48
        b"\x81" * 100 + b"\x01",  # deep
        b"\xa1\x01\x02",  # a key that is a number
        cbor2.dumps({1, 2}),  # a set
        b"\xd8\x23" + cbor2.dumps("(a+)+$"),  # a regular expression
        b"\xd8\x1c\x81\xd8\x1d\x00",  # a list that holds itself
        b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",  # 2 to the power of 2^63
        b"\xa1\x61a",  # cut off
    ],
)
def test_hostile_bodies_are_refused_at_once(body: bytes) -> None:
    with pytest.raises(BadCbor):
        read_cbor(body)


def test_shared_values_do_not_grow() -> None:
    """Each list names the one before it twice: 2^40 values in a few hundred bytes."""
    body = b"\xd8\x1c\x81\x01"
    for number in range(40):
        body = b"\xd8\x1c\x83" + body + b"\xd8\x1d" + cbor2.dumps(40 - number) + b"\x01"
    with pytest.raises(BadCbor):
        read_cbor(body)


def test_a_reply_says_the_same_in_both_forms() -> None:
    writer = ReplyWriter([load_service_model("cloudwatch")])
    at = datetime(2026, 1, 2, tzinfo=UTC)
    answer = {"Label": "loss", "Datapoints": [{"Timestamp": at, "Sum": 2, "Unit": "None", "Unknown": 1}]}
    told = writer.write("monitoring", "GetMetricStatistics", answer, CBOR)
    assert cbor2.loads(told) == {"Label": "loss", "Datapoints": [{"Timestamp": at, "Sum": 2.0, "Unit": "None"}]}
    assert read_cbor(told) == JSON.read(writer.write("monitoring", "GetMetricStatistics", answer))
    stored = writer.write("monitoring", "GetMetricStatistics", b'{"Label":"loss"}', CBOR)
    assert cbor2.loads(stored) == {"Label": "loss"}
    refusal = error_body(InvalidParameterValue("no"), CBOR)
    assert cbor2.loads(refusal) == {"__type": "InvalidParameterValue", "message": "no"}
    with pytest.raises(SerializationException):
        CBOR.read(b"\xff")
