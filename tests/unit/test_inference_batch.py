"""Mini-batches of any object: nothing lost, nothing divided, nothing too large, none too many."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sagestone.inference.batch import Batch, RecordTooLarge, mini_batches
from sagestone.inference.file_batches import file_batches
from sagestone.inference.file_body import Buffers, ShortFile
from sagestone.inference.split import Lines, Splitter, WholeObject
from sagestone.inference.spool import Spool

SCRATCH = Path(tempfile.gettempdir())
CONTENT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"\r\n", b"long line", b"\x00\xff"])).map(b"".join)
CUTS = st.lists(st.integers(1, 9), max_size=30)


def cut(content: bytes, sizes: list[int]) -> list[bytes]:
    """`content` in pieces of these sizes, the rest as one."""
    pieces = []
    for size in sizes:
        pieces.append(content[:size])
        content = content[size:]
    return [*pieces, content]


def batch(
    pieces: list[bytes], how: Splitter, *, single: bool = False, limit: int | None = None, in_memory: int = 1 << 20
) -> Iterator[tuple[bytes, Batch]]:
    for made in mini_batches(pieces, how, single=single, limit=limit, new_spool=lambda: Spool(SCRATCH, in_memory)):
        yield sent(made), made
        made.body.close()


def sent(one: Batch) -> bytes:
    """What a container gets."""
    return b"".join(bytes(piece) for piece in one.body.buffers())


def lines(content: bytes) -> list[bytes]:
    """The records of an object, as anyone would write it down."""
    parts = [part + b"\n" for part in content.split(b"\n")]
    parts[-1] = parts[-1][:-1]
    return [part for part in parts if part]


def greedy(records: list[bytes], limit: int) -> list[bytes]:
    """As few requests as there can be."""
    made: list[bytes] = []
    for record in records:
        if made and len(made[-1]) + len(record) <= limit:
            made[-1] += record
        else:
            made.append(record)
    return made


@given(CONTENT, CUTS, st.integers(1, 24), st.sampled_from([0, 3, 1000]))
@example(b"ab\ncd", [2, 1], 3, 0)
def test_several_records_a_request_are_as_few_requests_as_can_be(
    content: bytes, cuts: list[int], limit: int, in_memory: int
) -> None:
    records = lines(content)
    fitting: list[bytes] = []
    for record in records:
        if len(record) > limit:
            break
        fitting.append(record)
    made = []
    batches = batch(cut(content, cuts), Lines(), limit=limit, in_memory=in_memory)
    if len(fitting) == len(records):
        made = list(batches)
    else:
        with pytest.raises(RecordTooLarge) as caught:
            made.extend(batches)
        assert (caught.value.record, caught.value.limit) == (len(fitting) + 1, limit)
        assert caught.value.size == len(records[len(fitting)])
    assert [body for body, _ in made] == greedy(fitting, limit)
    first = 1
    for body, one in made:
        assert (one.first_record, one.records) == (first, len(lines(body)))
        first += one.records


@given(CONTENT, CUTS, st.integers(9, 24))
def test_one_record_a_request(content: bytes, cuts: list[int], limit: int) -> None:
    records = lines(content)
    if all(len(record) <= limit for record in records):
        made = list(batch(cut(content, cuts), Lines(), single=True, limit=limit))
        assert [body for body, _ in made] == records
        assert [(one.first_record, one.records) for _, one in made] == [(n, 1) for n in range(1, len(records) + 1)]
    else:
        with pytest.raises(RecordTooLarge):
            list(batch(cut(content, cuts), Lines(), single=True, limit=limit))


@given(CONTENT, CUTS, st.booleans())
def test_a_whole_object_is_one_request_or_too_large(content: bytes, cuts: list[int], single: bool) -> None:
    made = list(batch(cut(content, cuts), WholeObject(), single=single, limit=len(content) or 1))
    assert [body for body, _ in made] == ([content] if content else [])
    if len(content) > 1:
        with pytest.raises(RecordTooLarge) as caught:
            list(batch(cut(content, cuts), WholeObject(), single=single, limit=len(content) - 1))
        assert caught.value.size == len(content)


@given(CONTENT, CUTS)
def test_without_a_limit_all_records_are_one_request(content: bytes, cuts: list[int]) -> None:
    assert [body for body, _ in batch(cut(content, cuts), Lines())] == ([content] if content else [])


@given(CONTENT, CUTS, st.integers(15, 40))
def test_batches_that_nobody_counts_are_the_same(content: bytes, cuts: list[int], limit: int) -> None:
    def new_spool() -> Spool:
        return Spool(SCRATCH, 1 << 20)

    assume(all(len(line) <= limit for line in lines(content)))
    made, at = [], 0
    for one in mini_batches(cut(content, cuts), Lines(), single=False, limit=limit, new_spool=new_spool, count=False):
        assert (one.first_record, one.records, one.offset) == (0, 0, at)
        at += one.body.size
        made.append(sent(one))
        one.body.close()
    assert made == greedy(lines(content), limit)


def test_the_limit_holds_to_the_byte() -> None:
    assert [body for body, _ in batch([b"abc\ndef\n"], Lines(), limit=8)] == [b"abc\ndef\n"]
    assert [body for body, _ in batch([b"abc\ndef\n"], Lines(), limit=7)] == [b"abc\n", b"def\n"]
    with pytest.raises(RecordTooLarge, match="record 1 has 4 bytes, a request at most 3"):
        list(batch([b"abc\ndef\n"], Lines(), limit=3))


def test_a_batch_that_is_given_away_outlives_its_source() -> None:
    source = mini_batches([b"a\nb\n"], Lines(), single=True, limit=9, new_spool=lambda: Spool(SCRATCH, in_memory=0))
    first = next(source)
    source.close()  # type: ignore[attr-defined]
    assert sent(first) == b"a\n"
    first.body.close()


@given(CONTENT, st.integers(1, 40), st.sampled_from([1, 40_000]))
@example(b"ab\ncd", 3, 40_000)
def test_a_file_is_cut_where_its_bytes_are(content: bytes, limit: int, copies: int) -> None:
    """Also where batches and lines are longer than what is looked through at once."""
    content, limit = b"".join(bytes([each]) * copies if each != 10 else b"\n" for each in content), limit * copies

    def new_spool() -> Spool:
        return Spool(SCRATCH, 1 << 24)

    of_bytes = told(mini_batches([content], Lines(), single=False, limit=limit, new_spool=new_spool, count=False))
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        assert told(file_batches(file.fileno(), len(content), lines=True, limit=limit, buffers=Buffers())) == of_bytes


def told(batches: Iterator[Batch]) -> tuple[list[tuple[bytes, int]], tuple[int, int, bool] | None]:
    """The bodies and where they begin, and what is said of a record that is too large."""
    made = []
    try:
        for one in batches:
            made.append((sent(one), one.offset))
            one.body.close()
    except RecordTooLarge as error:
        return made, (error.offset, error.size, error.more)
    return made, None


def test_a_whole_file_is_one_request_or_too_large() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a\nb\n")
        file.flush()
        assert [sent(one) for one in file_batches(file.fileno(), 4, lines=False, limit=4, buffers=Buffers())] == [
            b"a\nb\n"
        ]
        with pytest.raises(RecordTooLarge, match="4 bytes, a request at most 3"):
            list(file_batches(file.fileno(), 4, lines=False, limit=3, buffers=Buffers()))


def test_a_file_that_became_shorter_is_noticed() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a\n")
        file.flush()
        (one,) = file_batches(file.fileno(), 4, lines=True, limit=4, buffers=Buffers())
        with pytest.raises(ShortFile):
            sent(one)
        one.body.close()
