"""Log streams: written once, readable at any moment, paged without loss in both directions, never outside."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.job_logs.names import TRAINING_GROUP, TRANSFORM_GROUP, NoSuchGroup, NoSuchStream, stream_file
from sagestone.job_logs.reader import LogReader
from sagestone.job_logs.writer import LogWriter

STREAM = "job/algo-1-1700000000"


def _written(directory: Path, messages: list[str], start: float = 1000.0) -> LogWriter:
    writer = LogWriter(directory, TRAINING_GROUP, STREAM)
    for index, message in enumerate(messages):
        writer.write(start + index, message)
    writer.flush()
    return writer


def _messages(directory: Path, **options: int | None) -> list[str]:
    page = LogReader(directory).events(TRAINING_GROUP, STREAM, limit=10_000, from_head=True, **options)
    return [event.message for event in page.events]


def test_streams_and_groups_appear_with_their_writer(tmp_path: Path) -> None:
    reader = LogReader(tmp_path)
    assert reader.groups() == []
    with pytest.raises(NoSuchGroup):
        reader.streams(TRAINING_GROUP)
    _written(tmp_path, ["one", "two"])
    LogWriter(tmp_path, TRAINING_GROUP, "job/algo-2-1700000000").close()
    LogWriter(tmp_path, TRAINING_GROUP, "other/algo-1-1700000000").close()
    assert reader.groups() == [TRAINING_GROUP]
    assert reader.groups("/aws/sagemaker/Transform") == []
    first, second = reader.streams(TRAINING_GROUP, "job/algo")
    assert (first.name, first.first_ms, first.last_ms, first.created_ms) == (STREAM, 1000_000, 1001_000, 1000_000)
    assert (second.name, second.first_ms, second.last_ms) == ("job/algo-2-1700000000", None, None)
    assert [stream.name for stream in reader.streams(TRAINING_GROUP, "o")] == ["other/algo-1-1700000000"]
    assert reader.streams(TRAINING_GROUP, "../") == []


def test_a_stream_may_be_named_like_the_start_of_another(tmp_path: Path) -> None:
    for name in ("job/i-1-5", "job/i-1-5/data-log"):
        LogWriter(tmp_path, TRANSFORM_GROUP, name).close()
    names = [stream.name for stream in LogReader(tmp_path).streams(TRANSFORM_GROUP, "job/")]
    assert names == ["job/i-1-5", "job/i-1-5/data-log"]


def test_a_reader_never_sees_a_line_that_is_not_whole(tmp_path: Path) -> None:
    writer = _written(tmp_path, ["one"])
    with writer.path.open("ab") as file:
        file.write(b"1001000\tha")
    assert _messages(tmp_path) == ["one"]


def test_what_comes_after_the_end_is_dropped(tmp_path: Path) -> None:
    writer = _written(tmp_path, ["one"])
    writer.close()
    writer.write(2000.0, "x" * 100_000)
    writer.write(2000.0, "late")
    writer.cut(0)
    writer.flush()
    writer.close()
    assert _messages(tmp_path) == ["one"]


def test_a_new_writer_cuts_what_the_last_one_left_half_written(tmp_path: Path) -> None:
    writer = _written(tmp_path, ["one"])
    with writer.path.open("ab") as file:
        file.write(b"1001000\t" + b"x" * 200_000)
    _written(tmp_path, ["two"], start=0.0)
    assert _messages(tmp_path) == ["one", "two"]
    (stream,) = LogReader(tmp_path).streams(TRAINING_GROUP)
    assert stream.last_ms == 1000_000  # time never goes back


def test_what_is_cut_can_be_written_again(tmp_path: Path) -> None:
    writer = _written(tmp_path, ["one"])
    size = writer.size
    writer.write(1001.0, "two")
    writer.cut(size)
    writer.write(1001.0, "again")
    writer.close()
    assert _messages(tmp_path) == ["one", "again"]


def test_unknown_names_are_told_apart(tmp_path: Path) -> None:
    _written(tmp_path, ["one"])
    reader = LogReader(tmp_path)
    with pytest.raises(NoSuchGroup, match="/aws/other"):
        reader.streams("/aws/other")
    with pytest.raises(NoSuchStream, match="nothing"):
        reader.events(TRAINING_GROUP, "nothing", limit=1, from_head=True)
    with pytest.raises(NoSuchStream):
        reader.events(TRAINING_GROUP, f"{STREAM}/deeper", limit=1, from_head=True)


@given(name=st.text(min_size=1, max_size=300))
def test_no_stream_name_leads_outside(name: str) -> None:
    logs = Path("/logs")
    try:
        path = stream_file(logs, TRAINING_GROUP, name)
    except NoSuchStream:
        return
    assert path.is_relative_to(logs / TRAINING_GROUP.lstrip("/"))
    assert not {".", ".."} & set(path.parts)
    assert all(len(part.encode()) <= 255 and "\0" not in part for part in path.parts)


_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60)


@given(messages=st.lists(_TEXT, max_size=40), limit=st.integers(1, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_paging_in_both_directions_gives_everything_once(tmp_path: Path, messages: list[str], limit: int) -> None:
    stream_file(tmp_path, TRAINING_GROUP, STREAM).unlink(missing_ok=True)
    _written(tmp_path, messages).close()
    reader = LogReader(tmp_path)
    forward: list[str] = []
    offset: int | None = None
    while True:
        page = reader.events(TRAINING_GROUP, STREAM, offset=offset, limit=limit, from_head=True)
        if not page.events:
            assert offset in (None, page.forward)  # nothing left: the same token again
            break
        forward += [event.message for event in page.events]
        offset = page.forward
    assert forward == messages
    backward: list[str] = []
    offset = None
    while True:
        page = reader.events(TRAINING_GROUP, STREAM, offset=offset, limit=limit, from_head=False)
        if not page.events:
            assert offset in (None, page.backward)
            break
        backward = [event.message for event in page.events] + backward
        offset = page.backward
    assert backward == messages


@given(
    times=st.lists(st.integers(0, 50), max_size=30).map(sorted),
    start=st.integers(-1, 51) | st.none(),
    end=st.integers(-1, 52) | st.none(),
    from_head=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_times_select(tmp_path: Path, times: list[int], start: int | None, end: int | None, from_head: bool) -> None:
    stream_file(tmp_path, TRAINING_GROUP, STREAM).unlink(missing_ok=True)
    writer = LogWriter(tmp_path, TRAINING_GROUP, STREAM)
    for time in times:
        writer.write(time / 1000, "x" * time)
    writer.close()
    page = LogReader(tmp_path).events(
        TRAINING_GROUP, STREAM, start_ms=start, end_ms=end, limit=100, from_head=from_head
    )
    expected = [t for t in times if (start is None or t >= start) and (end is None or t < end)]
    assert [event.timestamp_ms for event in page.events] == expected


@given(offset=st.integers(-10, 10_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_made_up_offset_gives_whole_lines(tmp_path: Path, offset: int) -> None:
    if not stream_file(tmp_path, TRAINING_GROUP, STREAM).exists():
        _written(tmp_path, [f"line {number}" for number in range(100)]).close()
    for from_head in (True, False):
        page = LogReader(tmp_path).events(TRAINING_GROUP, STREAM, offset=offset, limit=5, from_head=from_head)
        assert all(event.message.startswith("line ") for event in page.events)


def test_a_page_is_bounded_in_bytes(tmp_path: Path) -> None:
    _written(tmp_path, ["x" * 100_000] * 30)
    page = LogReader(tmp_path).events(TRAINING_GROUP, STREAM, limit=10_000, from_head=True)
    assert len(page.events) == 11
    page = LogReader(tmp_path).events(TRAINING_GROUP, STREAM, limit=10_000, from_head=False)
    assert len(page.events) == 11
