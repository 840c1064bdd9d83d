"""The JSONPath subset of DataProcessing, and the rules around it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain.data_processing import data_processing_violations
from sagestone.domain.json_path import BadPath, Everything, Indexes, Names, Range, Step, parse_filter, parse_path
from sagestone.domain.place import Place


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.id", (Names(names=("id",)),)),
        ("$.id.*", (Names(names=("id",)), Everything())),
        ("$[*]", (Everything(),)),
        ("$['id','SageMakerOutput']", (Names(names=("id", "SageMakerOutput")),)),
        ("$.field1.['child1', 'child 2']", (Names(names=("field1",)), Names(names=("child1", "child 2")))),
        ("$[0, -1]", (Indexes(items=(0, -1)),)),
        ("$[1:]", (Indexes(items=(Range(first=1),)),)),
        ("$[:5]", (Indexes(items=(Range(last=5),)),)),
        ("$[0,5:]", (Indexes(items=(0, Range(first=5))),)),
        ("$.a[2][-3:-1]", (Names(names=("a",)), Indexes(items=(2,)), Indexes(items=(Range(first=-3, last=-1),)))),
    ],
)
def test_paths_of_the_subset(text: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has to begin with \\$"),
        ("id", "it has to begin with \\$"),
        ("$id", "expected at position 1, 'id' found"),
        ("$.", "expected at position 2, 'the end' found"),
        ("$..id", "expected at position 2"),
        ("$[0", "the bracket at position 1 is not closed"),
        ("$[]", "neither names in quotes"),
        ("$['a',0]", "neither names in quotes"),
        ("$['a.b']", "neither names in quotes"),
        (
            "$[0:2,246:]",
            "only single range filters of format \\(eg: \\[1:5\\]\\) are supported. Format \\[0:2,246:\\] is",
        ),
        ("$[::2]", "neither names in quotes"),
        ("$[?(@.a)]", "neither names in quotes"),
    ],
)
def test_other_paths_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadPath, match=why):
        parse_path(text)


def test_a_letter_outside_the_subset_is_named() -> None:
    with pytest.raises(BadPath) as caught:
        parse_filter("$['account_id']", "application/jsonlines")
    assert str(caught.value) == (
        'Unexpected "_" in JsonPath. Supported operators for "application/jsonlines" are '
        "['$', '[', ']', '*', '.', ' ', ',', ':', '-', ''']"
    )


@given(st.integers(-8, 8), st.integers(0, 6))
def test_an_index_is_the_place_that_it_has_in_a_list(index: int, count: int) -> None:
    numbers = list(range(count))
    if -count <= index < count:
        assert Indexes(items=(index,)).positions(count) == [numbers[index]]
    else:
        with pytest.raises(IndexError):
            Indexes(items=(index,)).positions(count)


@given(st.none() | st.integers(-8, 8), st.none() | st.integers(-8, 8), st.integers(0, 6))
def test_a_range_includes_its_last_element(first: int | None, last: int | None, count: int) -> None:
    start = 0 if first is None else first + count if first < 0 else first
    stop = count - 1 if last is None else last + count if last < 0 else last
    expected = [number for number in range(count) if start <= number <= stop]
    assert Indexes(items=(Range(first=first, last=last),)).positions(count) == expected


@given(st.text(alphabet="$[]*.,:-' a0", max_size=12))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        steps = parse_path(text)
    except BadPath:
        return
    assert (steps == ()) == (text == "$")


def broken(processing: dict[str, str], **changes: Any) -> list[str]:
    how = {"content": "text/csv", "accept": "text/csv", "split": "Line", "assemble": "Line", **changes}
    request = {
        "DataProcessing": processing,
        "TransformInput": {"ContentType": how["content"], "SplitType": how["split"]},
        "TransformOutput": {"Accept": how["accept"], "AssembleWith": how["assemble"]},
    }
    return [violation.text for violation in data_processing_violations(Place(request))]


def test_what_filters_nothing_needs_nothing() -> None:
    assert broken({"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}, content=None, split=None) == []
    assert broken({}, content="image/png", accept=None, split=None, assemble=None) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content": "application/jsonlines", "accept": "application/jsonlines"},
        {"content": "application/json", "accept": "application/json", "split": None, "assemble": "None"},
    ],
)
def test_the_three_formats_can_be_joined(changes: dict[str, Any]) -> None:
    assert broken({"JoinSource": "Input", "OutputFilter": "$[0]"}, **changes) == []


def test_a_filter_asks_only_for_its_own_side() -> None:
    assert broken({"InputFilter": "$[1:]"}, accept=None, assemble=None) == []
    assert broken({"OutputFilter": "$.label"}, content="image/png", accept="application/json", split=None) == []
    assert broken({"InputFilter": "$[1:]", "OutputFilter": "$.label"}, accept="application/json") == []


@pytest.mark.parametrize(
    ("processing", "changes", "rules"),
    [
        (
            {"InputFilter": "$.a"},
            {},
            [
                "Value '$.a' at 'dataProcessing.inputFilter' failed to satisfy constraint: Invalid InputFilter: "
                '"$.a". a row of text/csv has columns without names: use indexes, as in $[0,-1] or $[1:]'
            ],
        ),
        (
            {"JoinSource": "Input"},
            {"split": None, "assemble": None},
            [
                "Value null at 'transformInput.splitType' failed to satisfy constraint: Member must be Line where "
                "DataProcessing filters or joins",
                "Value null at 'transformOutput.assembleWith' failed to satisfy constraint: Member must be Line where "
                "DataProcessing filters or joins",
            ],
        ),
        (
            {"OutputFilter": "$[1:]", "JoinSource": "Input"},
            {"accept": "application/json"},
            [
                "Value 'application/json' at 'transformOutput.accept' failed to satisfy constraint: Member must be the "
                "same as transformInput.contentType where JoinSource is Input"
            ],
        ),
        (
            {"OutputFilter": "$.a", "JoinSource": "Input"},
            {"content": "application/json", "accept": "application/json", "split": "Line", "assemble": "None"},
            [
                "Value 'None' at 'transformOutput.assembleWith' failed to satisfy constraint: Member must be the same "
                "as transformInput.splitType where JoinSource is Input"
            ],
        ),
        (
            {"InputFilter": "$[1:]"},
            {"content": None},
            [
                "Value null at 'transformInput.contentType' failed to satisfy constraint: Member must be one of "
                "[text/csv, application/json, application/jsonlines] where InputFilter is given"
            ],
        ),
        (
            {"JoinSource": "Input"},
            {"content": "image/png", "accept": "image/png"},
            [
                "Value 'image/png' at 'transformInput.contentType' failed to satisfy constraint: Member must be one of "
                "[text/csv, application/json, application/jsonlines] where JoinSource is Input",
                "Value 'image/png' at 'transformOutput.accept' failed to satisfy constraint: Member must be one of "
                "[text/csv, application/json, application/jsonlines] where JoinSource is Input",
            ],
        ),
    ],
)
def test_what_does_not_go_together_is_told(
    processing: dict[str, str], changes: dict[str, Any], rules: list[str]
) -> None:
    assert broken(processing, **changes) == rules
