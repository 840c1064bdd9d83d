"""Mini-batches of RecordIO and TFRecord: frames kept or taken away, nothing lost, damage told."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagestone.inference.batch import RecordTooLarge
from sagestone.inference.frame_check import checked_frames
from sagestone.inference.framed import RecordDamaged, framed_batches
from sagestone.inference.framing import Framing, RecordIO, TFRecord
from sagestone.inference.spool import Spool
from tests.unit.framed_records import MAGIC, recordio, tf_record
from tests.unit.test_inference_batch import cut, greedy

GOLDEN = Path(__file__).parents[1] / "golden"
SCRATCH = Path(tempfile.gettempdir())
RECORDS = json.loads((GOLDEN / "recordio" / "records.json").read_text())
BASIC, TRICKY = ([bytes.fromhex(record) for record in RECORDS[name]] for name in ("BASIC", "TRICKY"))
EXAMPLES = [bytes.fromhex(one) for one in json.loads((GOLDEN / "tfrecord" / "tf-examples.json").read_text())]

FORMATS = st.sampled_from([(RecordIO(), recordio), (TFRecord(), tf_record)])
PAYLOADS = st.lists(
    st.lists(st.sampled_from([b"", b"a", b"bcd", MAGIC, b"1234"]), max_size=5).map(b"".join), max_size=8
)
CUTS = st.lists(st.integers(1, 25), max_size=30)


def batches(
    content: list[bytes], framing: Framing, *, single: bool, limit: int | None = None, in_memory: int = 1 << 20
) -> list[tuple[bytes, int, int]]:
    """Body, first record and number of records of each batch."""
    made = []
    for batch in framed_batches(
        content, framing, single=single, limit=limit, new_spool=lambda: Spool(SCRATCH, in_memory)
    ):
        made.append((b"".join(bytes(piece) for piece in batch.body.buffers()), batch.first_record, batch.records))
        batch.body.close()
    return made


@pytest.mark.parametrize(
    ("file", "framing", "records"),
    [
        ("recordio/mxnet-basic.rec", RecordIO(), BASIC),
        ("recordio/mxnet-tricky.rec", RecordIO(), TRICKY),
        ("tfrecord/tf-basic.tfrecord", TFRecord(), BASIC),
        ("tfrecord/tf-examples.tfrecord", TFRecord(), EXAMPLES),
    ],
)
def test_files_of_the_formats_own_libraries(file: str, framing: Framing, records: list[bytes]) -> None:
    content = (GOLDEN / file).read_bytes()
    single = batches([content], framing, single=True, limit=8192)
    assert single == [(record, number, 1) for number, record in enumerate(records, start=1)]
    assert batches([content], framing, single=False) == [(content, 1, len(records))]


def test_another_librarys_file_has_the_same_examples_in_other_bytes() -> None:
    content = (GOLDEN / "tfrecord" / "tfrecordpkg-examples.tfrecord").read_bytes()
    bodies = [body for body, _, _ in batches([content], TFRecord(), single=True)]
    assert [sorted(body) for body in bodies] == [sorted(example) for example in EXAMPLES]  # fields in another order


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_recordio_protobuf_goes_out_as_protobuf(kind: str) -> None:
    content = (GOLDEN / "recordio" / f"sagemaker-{kind}.recpb").read_bytes()
    bodies = [body for body, _, _ in batches([content], RecordIO(), single=True)]
    assert len(bodies) == 3
    assert {body[0] for body in bodies} == {0x0A}  # field 1 of the protobuf message, not the frame


@given(FORMATS, PAYLOADS, CUTS, st.sampled_from([0, 5, 1000]))
@example((RecordIO(), recordio), [MAGIC * 2], [9], 0)
def test_one_record_a_request_without_its_frame(
    form: tuple[Framing, Callable[[bytes], bytes]], payloads: list[bytes], cuts: list[int], in_memory: int
) -> None:
    framing, write = form
    content = b"".join(map(write, payloads))
    made = batches(cut(content, cuts), framing, single=True, limit=20, in_memory=in_memory)
    assert made == [(payload, number, 1) for number, payload in enumerate(payloads, start=1)]


@given(FORMATS, PAYLOADS, CUTS, st.integers(1, 80), st.sampled_from([0, 30, 1000]))
def test_several_frames_a_request_are_as_few_requests_as_can_be(
    form: tuple[Framing, Callable[[bytes], bytes]], payloads: list[bytes], cuts: list[int], limit: int, in_memory: int
) -> None:
    framing, write = form
    frames = [write(payload) for payload in payloads]
    fitting = frames[: next((at for at, frame in enumerate(frames) if len(frame) > limit), len(frames))]
    made = []
    source = framed_batches(
        cut(b"".join(frames), cuts), framing, single=False, limit=limit, new_spool=lambda: Spool(SCRATCH, in_memory)
    )
    try:
        for batch in source:
            made.append((b"".join(bytes(piece) for piece in batch.body.buffers()), batch.first_record, batch.records))
            batch.body.close()
    except RecordTooLarge as error:
        assert (error.record, error.limit) == (len(fitting) + 1, limit)  # noqa: PT017 what came before matters too
        too_large = frames[len(fitting)]
        assert error.size == len(too_large) or (error.more and limit < error.size < len(too_large))  # noqa: PT017
    else:
        assert len(fitting) == len(frames)
    assert [body for body, _, _ in made] == greedy(fitting, limit)
    assert [first for _, first, _ in made] == [1 + sum(count for _, _, count in made[:at]) for at in range(len(made))]
    assert sum(count for _, _, count in made) == len(fitting)


@given(FORMATS, st.integers(0, 2), st.binary(min_size=200, max_size=300), CUTS)
def test_large_records_take_the_same_way(
    form: tuple[Framing, Callable[[bytes], bytes]], before: int, seed: bytes, cuts: list[int]
) -> None:
    framing, write = form
    large = seed * 2000
    payloads = [b"small"] * before + [large, b"after"]
    content = b"".join(map(write, payloads))
    assert [body for body, _, _ in batches(cut(content, cuts), framing, single=True)] == payloads
    assert batches(cut(content, cuts), framing, single=False) == [(content, 1, len(payloads))]


@given(FORMATS, PAYLOADS.filter(bool), st.data())
def test_an_object_that_is_cut_off_is_damaged(
    form: tuple[Framing, Callable[[bytes], bytes]], payloads: list[bytes], data: st.DataObject
) -> None:
    framing, write = form
    content = b"".join(map(write, payloads))
    last = len(write(payloads[-1]))
    kept = len(content) - data.draw(st.integers(1, last - 1))
    with pytest.raises(RecordDamaged, match="the object ends") as caught:
        batches([content[:kept]], framing, single=True)
    assert (caught.value.record, caught.value.offset) == (len(payloads), len(content) - last)


@given(PAYLOADS.filter(bool), st.data())
def test_any_changed_bit_of_a_tfrecord_is_noticed(payloads: list[bytes], data: st.DataObject) -> None:
    content = bytearray(b"".join(map(tf_record, payloads)))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RecordDamaged, match="checksum"):
        batches([bytes(content)], TFRecord(), single=False)


@given(FORMATS, PAYLOADS, CUTS, st.none() | st.integers(0, 10_000), st.booleans())
def test_what_passes_by_is_judged_as_what_is_cut(
    form: tuple[Framing, Callable[[bytes], bytes]],
    payloads: list[bytes],
    cuts: list[int],
    bit: int | None,
    cut_off: bool,
) -> None:
    framing, write = form
    content = bytearray(b"".join(map(write, payloads)))
    if bit is not None and content:
        content[bit // 8 % len(content)] ^= 1 << bit % 8
    pieces = cut(bytes(content[:-1] if cut_off else content), cuts)
    try:
        batches(pieces, framing, single=False)
    except RecordDamaged as error:
        with pytest.raises(RecordDamaged) as caught:
            list(checked_frames(pieces, framing))
        assert (caught.value.record, caught.value.offset) == (error.record, error.offset)  # noqa: PT017
    else:
        assert b"".join(checked_frames(pieces, framing)) == b"".join(pieces)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a,b,c\n1,2,3\n", "it begins with 612c622c, not with the magic 0a23d7ce"),
        (recordio(b"good") + recordio(MAGIC)[8:], "a part with flag 3 cannot stand at the begin of a record"),
        (recordio(MAGIC)[:8] + recordio(b"new"), "a part with flag 0 cannot stand inside a record"),
    ],
)
def test_what_is_no_recordio(content: bytes, why: str) -> None:
    with pytest.raises(RecordDamaged, match=why):
        batches([content], RecordIO(), single=False)


def test_the_limit_holds_to_the_byte_for_what_is_sent() -> None:
    content = tf_record(b"x" * 84)
    assert batches([content], TFRecord(), single=False, limit=100) == [(content, 1, 1)]
    with pytest.raises(RecordTooLarge, match="record 1 has 100 bytes, a request at most 99"):
        batches([content], TFRecord(), single=False, limit=99)
    assert batches([content], TFRecord(), single=True, limit=84) == [(b"x" * 84, 1, 1)]
    with pytest.raises(RecordTooLarge, match="record 1 has 84 bytes, a request at most 83"):
        batches([content], TFRecord(), single=True, limit=83)
