"""RecordIO as dmlc writes it: byte for byte on its own files, and back again for any bytes."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.elements import Elements, Ready, Span
from sagestone.channels.pipe.records import recorded
from sagestone.channels.recordio import LONGEST_PAYLOAD, MAGIC, parts, record
from sagestone.domain.failure import JobFailure
from sagestone.s3.client import SourceObject
from sagestone.s3.uri import S3Uri

GOLDEN = Path(__file__).parents[1] / "golden" / "recordio"
#: Payloads in which the magic stands at and beside multiples of four, often.
PAYLOADS = st.lists(st.one_of(st.binary(max_size=9), st.just(MAGIC), st.just(MAGIC[:3]))).map(b"".join)


def read_records(stream: bytes) -> Iterator[bytes]:
    """A reader of its own: whole records, with the magic between parts put back."""
    place, joined = 0, None
    while place < len(stream):
        magic, word = struct.unpack_from("<II", stream, place)
        assert magic == 0xCED7230A
        flag, size = word >> 29, word & 0x1FFFFFFF
        payload = stream[place + 8 : place + 8 + size]
        assert len(payload) == size
        place += 8 + size
        padding = stream[place : place + -size % 4]
        assert padding == bytes(-size % 4)
        place += len(padding)
        if flag in (0, 1):
            assert joined is None
            joined = payload
        else:
            assert joined is not None
            joined += MAGIC + payload
        if flag in (0, 3):
            yield joined
            joined = None
    assert joined is None


@pytest.mark.parametrize(("file", "records"), [("mxnet-basic.rec", "BASIC"), ("mxnet-tricky.rec", "TRICKY")])
def test_byte_for_byte_what_mxnet_writes(file: str, records: str) -> None:
    payloads = [bytes.fromhex(text) for text in json.loads((GOLDEN / "records.json").read_text())[records]]
    assert b"".join(piece for payload in payloads for piece in record(payload)) == (GOLDEN / file).read_bytes()


@given(st.lists(PAYLOADS))
def test_what_is_wrapped_is_read_back(payloads: list[bytes]) -> None:
    stream = b"".join(piece for payload in payloads for piece in record(payload))
    assert list(read_records(stream)) == payloads
    assert len(stream) % 4 == 0


@given(PAYLOADS)
def test_a_payload_in_a_file_gives_the_same_as_one_in_memory(payload: bytes) -> None:
    pieces = []
    for part in parts(lambda start, stop: payload[start:stop], len(payload)):
        pieces += [part.header, payload[part.start : part.stop], part.padding]
    assert b"".join(pieces) == b"".join(record(payload))


def test_the_magic_is_found_at_the_edges_of_what_is_read_at_once() -> None:
    window = 4 * 1024 * 1024
    payload = bytearray(2 * window + 10)
    for place in (0, window - 4, window, 2 * window - 2, 2 * window + 4):
        payload[place : place + 4] = MAGIC
    stream = b"".join(record(bytes(payload)))
    assert list(read_records(stream)) == [payload]
    assert stream.count(MAGIC) == 5 + 1  # four parts begin behind an aligned one, and one was not aligned


@pytest.mark.parametrize("size", [LONGEST_PAYLOAD + 1, 1 << 40])
def test_a_payload_of_half_a_gibibyte_is_refused_before_it_is_read(size: int) -> None:
    with pytest.raises(ValueError, match="less than 2\\^29 bytes"):
        next(parts(lambda start, stop: pytest.fail("it was read"), size))


def test_the_longest_payload_is_one_record() -> None:
    (part,) = parts(lambda start, stop: bytes(stop - start), LONGEST_PAYLOAD)
    assert struct.unpack("<II", part.header) == (0xCED7230A, LONGEST_PAYLOAD)


def _object(key: str) -> SourceObject:
    return SourceObject(S3Uri("b", key), 0, "")


def _flow(items: list[list[bytes]]) -> Elements:
    for number, pieces in enumerate(items):
        yield _object(str(number))
        yield from pieces


def _bytes(elements: Elements) -> bytes:
    whole = bytearray()
    for element in elements:
        if isinstance(element, Span):
            whole += os.pread(element.file, element.stop - element.start, element.start)
        elif isinstance(element, Ready):
            whole += element.data
        elif isinstance(element, bytes):
            whole += element
    return bytes(whole)


def test_items_in_pieces_in_memory_and_in_a_file_become_one_record_each(tmp_path: Path) -> None:
    items = [[], [b""], [b"a", b"bc"], [(b"4321" * 999 + MAGIC) * 600, b"x" * 3_000_000], [b"end"]]
    stream = _bytes(recorded(_flow(items), "train", tmp_path, 4 * 1024 * 1024))
    assert list(read_records(stream)) == [b"".join(pieces) for pieces in items]
    assert not list(tmp_path.iterdir())


def test_what_is_ready_stays_as_it_is_behind_what_came_before(tmp_path: Path) -> None:
    def flow() -> Elements:
        yield _object("large")
        yield b"in "
        yield b"pieces"
        yield Ready(b"".join(record(b"small") + record(b"")))
        yield _object("last")
        yield b"end"

    stream = _bytes(recorded(flow(), "train", tmp_path, 4 * 1024 * 1024))
    assert list(read_records(stream)) == [b"in pieces", b"small", b"", b"end"]


def test_a_file_is_wrapped_without_being_held_in_memory(tmp_path: Path) -> None:
    content = (b"abc" + MAGIC) * 10_000 + b"y" * 70_001 + MAGIC * 3
    (tmp_path / "blob").write_bytes(content)
    file = os.open(tmp_path / "blob", os.O_RDONLY)

    def flow() -> Elements:
        yield _object("k")
        yield Span(file, 0, len(content))
        yield _object("l")
        yield b"after"

    assert list(read_records(_bytes(recorded(flow(), "train", tmp_path, 4 * 1024 * 1024)))) == [content, b"after"]
    os.close(file)


def test_an_object_that_no_record_holds_fails_the_job_with_its_uri(tmp_path: Path) -> None:
    def flow() -> Elements:
        yield _object("large")
        yield Span(-1, 0, LONGEST_PAYLOAD + 1)

    with pytest.raises(JobFailure, match="s3://b/large has 512 MiB or more"):
        _bytes(recorded(flow(), "train", tmp_path, 4 * 1024 * 1024))
