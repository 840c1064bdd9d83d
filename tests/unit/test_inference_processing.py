"""Filters, joins and inference ids on records of the three formats."""

import json
import re
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.image import ImageReference
from sagestone.domain.transform_job import DataCapture, DataProcessing, ModelContainer, TransformJobSpec
from sagestone.inference.csv_rows import columns
from sagestone.inference.lines import records_of
from sagestone.inference.processing import BadInput, Processing, Results, processing_of
from sagestone.inference.record_error import BadRecord
from tests.documents import transform_spec

STARTED = "2026-11-26T12:00:00Z"
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


def processing(
    format_: str, *, split_type: Any = "Line", ids: bool = False, accept: str = "", **asked: Any
) -> Processing:
    base = transform_spec()
    job = TransformJobSpec(
        name="job", arn=base.arn, role_arn=base.role_arn, model_name="m", s3_uri="s3://b/in", output_uri="s3://b/out",
        containers=(ModelContainer(image=ImageReference(uri="x", digest="y")),),
        content_type=format_, accept=accept or format_, split_type=split_type, instance_type="ml.m5.large",
        data_processing=DataProcessing(**asked),
        data_capture=DataCapture(destination_uri="s3://b/c", generate_inference_id=True) if ids else None,
    )  # fmt: skip
    made = processing_of(job, STARTED)
    assert made is not None
    return made


def sent(how: Processing, content: bytes) -> bytes:
    return b"".join(how.prepared([content[:7], content[7:]]))


def kept(how: Processing, content: bytes, *answers: tuple[bytes, int | None]) -> bytes:
    def originals() -> Generator[bytes, None, None]:
        yield content[:5]
        yield content[5:]

    results = Results(how, originals)
    made = b"".join(piece for answer, count in answers for piece in results.of([answer[:3], answer[3:]], count))
    results.finish()
    results.close()
    return made


def test_columns_of_csv_are_filtered_joined_and_filtered_again() -> None:
    how = processing(CSV, input_filter="$[1:]", join_source="Input", output_filter="$[0,-1]")
    content = b'id1,"a, b",1.0\r\nid2,"say ""hi""",2\n\nid3,,3'
    assert sent(how, content) == b'"a, b",1.0\r\n"say ""hi""",2\n,3'
    assert kept(how, content, (b"0.5\n0.25\n", 2), (b'"x,y"', 1)) == b'id1,0.5\nid2,0.25\nid3,"x,y"\n'


def test_a_join_alone_keeps_every_byte_of_both_sides() -> None:
    how = processing(CSV, join_source="Input")
    content = b'1, "2"x,3\n'.replace(b' "2"x', b" 2 ")
    assert sent(how, content) == content
    assert kept(how, content, (b"4,5\r\n", 1)) == b"1, 2 ,3,4,5\n"


def test_members_of_json_lines_are_filtered_and_joined() -> None:
    how = processing(
        JSON_LINES, input_filter="$.features", join_source="Input", output_filter="$['id','SageMakerOutput']"
    )
    content = b'{"id": 1, "features": [1.50, 2e3]}\n{"id": "b", "features": []}\n'
    assert sent(how, content) == b"[1.50, 2e3]\n[]\n"
    answers = (b'{"score":0.10}\n', 1), (b"7\n", 1)
    assert kept(how, content, *answers) == (
        b'{"id":1,"SageMakerOutput":{"score":0.10}}\n{"id":"b","SageMakerOutput":7}\n'
    )


def test_what_is_no_object_becomes_one_when_it_is_joined() -> None:
    how = processing(JSON_LINES, join_source="Input")
    assert kept(how, b"[1,2]\n", (b"3", 1)) == b'{"SageMakerInput":[1,2],"SageMakerOutput":3}\n'
    assert kept(how, b'{"SageMakerOutput":0,"a":1}\n', (b"3", 1)) == b'{"SageMakerOutput":3,"a":1}\n'


def test_a_whole_json_object_is_one_record() -> None:
    how = processing(
        JSON, split_type="None", input_filter="$.rows[*]", join_source="Input", output_filter="$.SageMakerOutput[0:1]"
    )
    content = b'{\n "rows": [\n  [1], [2]\n ]\n}\n'
    assert sent(how, content) == b"[[1],[2]]"
    assert kept(how, content, (b"[0.1,\n 0.2,\n 0.3]", None)) == b"[0.1,0.2]"


def test_an_answer_on_several_lines_is_one_where_one_was_asked_for() -> None:
    how = processing(JSON, output_filter="$.a")
    assert kept(how, b"", (b'{\n  "a": {\n "b": 1.0 }\n}\n', 1)) == b'{"b":1.0}\n'


def test_a_filter_on_one_side_leaves_the_other_alone() -> None:
    how = processing(CSV, input_filter="$[0]", accept="image/png")
    assert how.keep is None
    assert sent(how, b"a,b\n") == b"a\n"
    assert processing("image/png", split_type="None", accept=JSON, output_filter="$.a").change_input is None


def test_inference_ids_follow_what_is_kept() -> None:
    identity = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    rows = kept(processing(CSV, ids=True, output_filter="$[0]"), b"", (b"0,x\n1,y\n", 2)).decode().splitlines()
    assert [bool(re.fullmatch(f"{number},{identity},{STARTED}", row)) for number, row in enumerate(rows)] == [
        True,
        True,
    ]
    assert len({row.split(",")[1] for row in rows}) == 2
    shown = json.loads(kept(processing(JSON_LINES, ids=True), b"", (b'{"output": 0}', 1)))
    assert shown.keys() == {"output", "SageMakerInferenceId", "SageMakerInferenceTime"}
    assert shown["SageMakerInferenceTime"] == STARTED
    assert json.loads(kept(processing(JSON_LINES, ids=True), b"", (b"3", 1)))["SageMakerOutput"] == 3


@pytest.mark.parametrize(
    ("how", "content", "record", "why"),
    [
        (
            processing(CSV, input_filter="$[2]"),
            b"a,b,c\na,b\n",
            2,
            "InputFilter $[2]: there is no element 2 among 2 columns",
        ),
        (processing(CSV, input_filter="$[3:]"), b"a,b,c\n", 1, "InputFilter $[3:]: it selects none of 3 columns"),
        (
            processing(CSV, input_filter="$[1:]"),
            b'a,b"c\n',
            1,
            'Failed to parse input as CSV: bare " in non quoted field found near: "b"c"',
        ),
        (
            processing(CSV, input_filter="$[1:]"),
            b'a,"b\n',
            1,
            'Failed to parse input as CSV: a quoted field is not closed near: ""b"',
        ),
        (
            processing(CSV, input_filter="$[1:]"),
            b'a,"b"c\n',
            1,
            'Failed to parse input as CSV: extraneous " in field found near: ""b"c"',
        ),
        (
            processing(JSON_LINES, input_filter="$.a"),
            b'{"a":1}\n{"b":1}\n',
            2,
            "InputFilter $.a: there is no member 'a'",
        ),
        (
            processing(JSON_LINES, input_filter="$.a"),
            b"[1]\n",
            1,
            "InputFilter $.a: there is no member 'a': it is no object",
        ),
        (
            processing(JSON_LINES, input_filter="$[1]"),
            b"{}\n",
            1,
            "InputFilter $[1]: it is no array, so it has no elements",
        ),
        (
            processing(JSON_LINES, input_filter="$[-3]"),
            b"[1,2]\n",
            1,
            "InputFilter $[-3]: there is no element -3 among 2 elements",
        ),
        (
            processing(JSON_LINES, input_filter="$.a"),
            b"{\n",
            1,
            "Failed to parse input as JSON: Input data was truncated",
        ),
        (
            processing(JSON, split_type="None", input_filter="$.a"),
            b"{'a'}",
            0,
            "Failed to parse input as JSON: JSON is malformed: ",
        ),
    ],
)
def test_an_input_that_cannot_be_filtered_is_told_by_its_number(
    how: Processing, content: bytes, record: int, why: str
) -> None:
    with pytest.raises(BadInput) as caught:
        sent(how, content)
    assert caught.value.record == record
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("how", "answers", "why"),
    [
        (
            processing(CSV, join_source="Input"),
            [(b"1\n2\n", 3)],
            "the container answered 2 records for the 3 of the request, so that they cannot be joined with",
        ),
        (processing(CSV, join_source="Input"), [(b"1\n2\n3\n4\n", 3)], "the container answered 4 records for the 3 of"),
        (
            processing(CSV, join_source="Input"),
            [(b"1\n2\n3\n4\n", None)],
            "the container answered more records than the 3",
        ),
        (
            processing(CSV, join_source="Input"),
            [(b"1\n2\n", None)],
            "the container answered 2 records, and the object has more",
        ),
        (
            processing(CSV, output_filter="$[1]"),
            [(b"1,2\n1\n", 2)],
            "its 2. answer: OutputFilter $[1]: there is no element 1 among 1 columns",
        ),
        (
            processing(CSV, join_source="Input"),
            [(b'a"b', 1)],
            'Failed to parse output from the algorithm as CSV: bare " in non quoted field found near: "a"b"',
        ),
        (
            processing(JSON_LINES, join_source="Input"),
            [(b"NaN", 1)],
            "Failed to parse output from the algorithm as JSON: JSON is malformed",
        ),
    ],
)
def test_an_answer_that_cannot_be_kept_is_told(
    how: Processing, answers: list[tuple[bytes, int | None]], why: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        kept(how, b"1\n2\n3\n", *answers)
    assert str(caught.value).startswith(why)


FIELD = st.text(alphabet='ab ,"\u00e9', max_size=6)


@given(st.lists(FIELD, min_size=1, max_size=6))
def test_columns_are_what_was_written(fields: list[str]) -> None:
    quoted = ['"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field for field in fields]
    assert columns(",".join(quoted).encode()) == [field.encode() for field in quoted]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_records_are_joined_with_their_own_inputs(batches: list[int], data: st.DataObject) -> None:
    how = processing(CSV, join_source="Input")
    count = sum(batches)
    content = b"".join(
        b"%d,x%s" % (number, data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))) for number in range(count)
    )
    answers, number = [], 0
    for size in batches:
        answers.append((b"".join(b"p%d\n" % each for each in range(number, number + size)), size))
        number += size
    assert kept(how, content, *answers) == b"".join(b"%d,x,p%d\n" % (each, each) for each in range(count))


def test_what_is_nested_too_deeply_is_told_of_each_side() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    how = processing(JSON_LINES, join_source="Input", output_filter="$.SageMakerOutput")
    with pytest.raises(BadRecord, match=r"Failed to join with the input: .*recursion"):
        kept(how, deep + b"\n", (b"1\n", 1))
    with pytest.raises(BadRecord, match=r"Failed to parse output from the algorithm as JSON: .*recursion"):
        kept(how, b"1\n", (deep, 1))
    with pytest.raises(BadInput, match=r"Failed to parse input as JSON: .*recursion"):
        sent(processing(JSON_LINES, input_filter="$[0]"), deep)


def test_a_name_that_is_no_utf_8_is_told() -> None:
    how = processing(JSON_LINES, join_source="Input", output_filter="$")
    with pytest.raises(BadRecord, match=r"Failed to join with the input: .*utf-8"):
        kept(how, b'{"a": {}, "\xe8": 1}\n', (b"1\n", 1))


def test_a_line_may_come_in_any_pieces() -> None:
    pieces = [b"a", b"", b"b\r", b"\nc\n\nd", b"e", b"f\r\n", b"g"]
    assert list(records_of(pieces, lines=True)) == [(b"ab", b"\r\n"), (b"c", b"\n"), (b"def", b"\r\n"), (b"g", b"")]
