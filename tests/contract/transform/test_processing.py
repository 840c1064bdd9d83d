"""DataProcessing through a real serving container: what it is sent, and what is kept of its answers."""

import csv
import gzip
import io

import pytest

from sagestone.domain.transform_job import DataProcessing
from tests.contract.training.training_instance import Ground
from tests.contract.transform.transform_instance import TransformInstance

#: Adds up the columns of each row, and answers a row with the sum and the number of columns.
SUMS = """
    def answer(request):
        rows = [line.split(b",") for line in request.body.splitlines()]
        return b"".join(b"%g,%d\\n" % (sum(map(float, row)), len(row)) for row in rows)
"""


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_rows_are_sent_without_their_id_and_come_back_with_it(ground: Ground, strategy: str) -> None:
    rows = [(f"id-{number}", number, number / 2) for number in range(500)]
    content = "".join(f'{name},"{a}",{b}\n'.replace('"', "") for name, a, b in rows).encode()
    ground.put("in/a.csv.gz", gzip.compress(content))
    ground.put("in/empty.csv.gz", gzip.compress(b""))
    instance = TransformInstance(
        ground,
        SUMS,
        compression="Gzip",
        split_type="Line",
        assemble_with="Line",
        content_type="text/csv",
        accept="text/csv",
        batch_strategy=strategy,
        max_concurrent_transforms=4,
        data_processing=DataProcessing(input_filter="$[1:]", join_source="Input", output_filter="$[0,-2,-1]"),
    )
    instance.complete()
    kept = list(csv.reader(io.StringIO(ground.get("out/a.csv.gz.out").decode())))
    assert kept == [[name, f"{a + b:g}", "2"] for name, a, b in rows]
    assert ground.get("out/empty.csv.gz.out") == b""
    assert len(instance.served()) == (500 if strategy == "SingleRecord" else 1)


def test_an_unlimited_payload_is_filtered_and_joined_as_it_streams(ground: Ground) -> None:
    count = 200_000
    ground.put("in/a.jsonl", b"".join(b'{"id": %d, "x": [%d, 1.50]}\n' % (n, n) for n in range(count)))
    program = """
        def answer(request):
            assert request.body.startswith(b"[0, 1.50]\\n[1, 1.50]\\n"), request.body[:100]
            return request.body
    """
    instance = TransformInstance(
        ground,
        program,
        split_type="Line",
        assemble_with="Line",
        content_type="application/jsonlines",
        accept="application/jsonlines",
        max_payload_mb=0,
        data_processing=DataProcessing(
            input_filter="$.x", join_source="Input", output_filter="$['id','SageMakerOutput']"
        ),
    )
    instance.complete()
    lines = ground.get("out/a.jsonl.out").splitlines()
    assert len(lines) == count
    assert lines[-1] == b'{"id":%d,"SageMakerOutput":[%d, 1.50]}' % (count - 1, count - 1)


def test_a_record_that_cannot_be_filtered_is_told(ground: Ground) -> None:
    ground.put("in/bad.csv", b"1,2\n3\n")
    ground.put("in/good.csv", b"1,2\n3,4\n")
    instance = TransformInstance(
        ground,
        SUMS,
        split_type="Line",
        assemble_with="Line",
        content_type="text/csv",
        accept="text/csv",
        data_processing=DataProcessing(input_filter="$[1]"),
    )
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason == (
        "ClientError: s3://bucket/in/bad.csv, record 2: InputFilter $[1]: there is no element 1 among 1 columns. "
        "1 of 2 objects failed. See job logs for more information"
    )
    assert instance.outputs() == {"good.csv.out": b"2,1\n4,1\n"}


def test_answers_that_do_not_match_their_inputs_leave_no_output(ground: Ground) -> None:
    ground.put("in/a.csv", b"1,2\n3,4\n5,6\n")
    program = """
        def answer(request):
            return b"0.5,0.6,0.7"
    """
    instance = TransformInstance(
        ground,
        program,
        split_type="Line",
        assemble_with="Line",
        content_type="text/csv",
        accept="text/csv",
        data_processing=DataProcessing(join_source="Input"),
    )
    outcome = instance.run()
    assert outcome.failure is not None
    assert outcome.failure.reason.startswith(
        "ClientError: s3://bucket/in/a.csv, records 1-3: the container answered 1 records for the 3 of the request"
    )
    assert instance.outputs() == {}
    assert instance.left_behind() == []
