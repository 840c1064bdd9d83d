"""RecordIO and TFRecord objects through a real serving container: with frames, without them, and damaged."""

import gzip
from pathlib import Path

import pytest

from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance

GOLDEN = Path(__file__).parents[2] / "golden"

#: Answers with the sizes of what it was sent, so that outputs tell where requests began and ended.
SIZES = """
    def answer(request):
        return b"%d\\n" % len(request.body)
"""


@pytest.mark.parametrize(
    ("split_type", "file"), [("RecordIO", "recordio/mxnet-basic.rec"), ("TFRecord", "tfrecord/tf-basic.tfrecord")]
)
def test_frames_are_kept_for_several_records_and_taken_away_for_one(ground: Ground, split_type: str, file: str) -> None:
    content = (GOLDEN / file).read_bytes()
    ground.put("in/a", content)
    program = """
        def answer(request):
            return request.body
    """
    TransformInstance(ground, program, name="several", split_type=split_type).complete()
    assert ground.get("out/a.out") == content
    instance = TransformInstance(ground, SIZES, name="one", split_type=split_type, batch_strategy="SingleRecord")
    instance.complete()
    sizes = [0, 1, 2, 3, 4, 5, 12, 256, 1000, len("žluťoučký kůň".encode())]
    assert ground.get("out/a.out") == b"".join(b"%d\n" % size for size in sizes)
    assert [one.size for one in instance.served()] == sizes


def test_damage_is_told_with_object_record_and_place(ground: Ground) -> None:
    content = bytearray((GOLDEN / "tfrecord" / "tf-basic.tfrecord").read_bytes())
    content[20 + 17 + 12] ^= 1  # the first byte of record 3, whose frame begins at byte 33
    ground.put("in/bad.tfrecord", bytes(content))
    ground.put("in/good.tfrecord", (GOLDEN / "tfrecord" / "tf-basic.tfrecord").read_bytes())
    instance = TransformInstance(ground, SIZES, split_type="TFRecord")
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(
        "ClientError: s3://bucket/in/bad.tfrecord, record 3, which begins at byte 33, is no whole record of "
        "TransformInput.SplitType TFRecord: the checksum of its bytes is "
    )
    assert list(instance.outputs()) == ["good.tfrecord.out"]
    assert instance.left_behind() == []


def test_damage_is_told_while_an_object_is_streamed(ground: Ground) -> None:
    content = (GOLDEN / "tfrecord" / "tf-basic.tfrecord").read_bytes()
    ground.put("in/a", content)
    ground.put("in/b", content[:-1])
    instance = TransformInstance(ground, SIZES, split_type="TFRecord", max_payload_mb=0)
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith("ClientError: s3://bucket/in/b, record 10, which begins at byte ")
    assert instance.outputs() == {"a.out": b"%d\n" % len(content)}


def test_gzip_that_was_not_named_is_guessed(ground: Ground) -> None:
    ground.put("in/a.tfrecord.gz", gzip.compress((GOLDEN / "tfrecord" / "tf-basic.tfrecord").read_bytes()))
    TransformInstance(ground, SIZES, name="named", split_type="TFRecord", compression="Gzip").complete()
    outcome = TransformInstance(ground, SIZES, name="unnamed", split_type="TFRecord").run()
    assert outcome.failure is not None
    assert "the object looks like gzip: TransformInput.CompressionType Gzip undoes it" in outcome.failure.reason
