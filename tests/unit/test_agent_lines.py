"""From bytes to log lines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sagestone.agent.lines import LineSplitter, shown


def _split(pieces: list[bytes], longest: int = 64 * 1024) -> list[bytes]:
    splitter = LineSplitter(longest)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines + list(splitter.finish())


@given(text=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_the_lines_do_not_depend_on_how_the_bytes_arrive(text: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]
    assert _split(pieces) == _split([text])


@given(text=st.text(st.sampled_from("aé漢😀"), min_size=1, max_size=60), longest=st.integers(4, 9))
def test_long_lines_go_on_without_losing_or_cutting_characters(text: str, longest: int) -> None:
    lines = _split([text.encode()], longest)
    assert b"".join(lines) == text.encode()
    assert all(len(line) <= longest and line.decode() for line in lines)


PIECES = st.lists(
    st.binary(max_size=30) | st.text(st.sampled_from("aé漢\n\t\r\x7f\u2028"), max_size=30).map(str.encode), max_size=8
)


@given(pieces=PIECES, longest=st.integers(4, 9) | st.just(99))
def test_lines_taken_at_once_are_those_taken_one_by_one(pieces: list[bytes], longest: int) -> None:
    splitter, lines = LineSplitter(longest), list[str]()
    for piece in pieces:
        block = splitter.feed_shown(piece)
        lines += block.decode()[:-1].split("\n") if block else map(shown, splitter.feed(piece))
    assert [*lines, *map(shown, splitter.finish())] == list(map(shown, _split(pieces, longest)))


@given(pieces=PIECES)
def test_lines_that_are_short_enough_are_taken_at_once_whatever_is_in_them(pieces: list[bytes]) -> None:
    splitter = LineSplitter(999)
    for piece in pieces:
        assert bool(splitter.feed_shown(piece + b"\n"))


def test_lines_end_with_lf_and_a_return_before_it_is_dropped() -> None:
    assert _split([b"a\r\nb\n\nc\rd\ne"]) == [b"a", b"b", b"", b"c\rd", b"e"]


def test_pending_counts_the_open_line() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"one\ntw")) == [b"one"]
    assert splitter.pending == 2


def test_control_characters_show_as_octal() -> None:
    assert shown(b"a\tb\x1b[1m\x00\x7f") == "a#011b#033[1m#000#177"
    assert shown(b"bad \xff byte, good \xc3\xa9") == "bad � byte, good é"


@given(st.binary(max_size=100))
def test_a_shown_line_is_one_line(line: bytes) -> None:
    assert not any(ord(character) < 32 for character in shown(line))
