"""Log streams and log files of engines, cut anywhere."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagestone.containers.engine.logs import follow_file, frames
from sagestone.containers.runtime import RuntimeFailure, Stream

_STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
_writes = st.lists(st.tuples(st.sampled_from(_STREAMS), st.binary(min_size=1, max_size=40)), max_size=20)


@given(writes=_writes, cuts=st.lists(st.integers(0, 2000), max_size=20))
def test_frames_give_every_byte_in_order(writes: list[tuple[Stream, bytes]], cuts: list[int]) -> None:
    whole = b"".join(
        bytes([_STREAMS.index(stream) + 1, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for stream, data in writes
    )
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[begin:end] for begin, end in pairwise(edges) if begin < end]
    got = list(frames(iter(pieces)))
    for name in _STREAMS:
        assert _text(got, name) == _text(writes, name)


def test_a_damaged_stream_is_told() -> None:
    with pytest.raises(RuntimeFailure, match="stream number 9"):
        list(frames(iter([bytes([9, 0, 0, 0, 0, 0, 0, 0])])))


@settings(deadline=None)
@given(writes=_writes, skip=st.integers(0, 60))
def test_a_file_is_read_as_it_grows(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[Stream, bytes]], skip: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "ctr.log"
    lines = [_line(stream, data) for stream, data in writes]
    half = b"".join(lines)[: len(b"".join(lines)) // 2]
    path.write_bytes(half)
    there = [entry for number, entry in enumerate(writes) if len(b"".join(lines[: number + 1])) <= len(half)]
    skip = min(skip, len(_text(_written(there), "stdout")))  # what was delivered is there
    asked = 0

    def ended() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            path.write_bytes(b"".join(lines))
        return asked > 1

    got: list[tuple[Stream, bytes]] = []
    follow_file(path, lambda stream, data: got.append((stream, data)), {"stdout": skip}, ended, 0)
    assert _text(got, "stdout") == _text(_written(writes), "stdout")[skip:]
    assert _text(got, "stderr") == _text(_written(writes), "stderr")


def test_a_new_file_is_read_after_the_end_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "ctr.log"
    path.write_bytes(_line("stdout", b"one"))
    steps = iter(["grow", "replace", "end"])

    def ended() -> bool:
        step = next(steps)
        if step == "grow":
            with path.open("ab") as file:
                file.write(_line("stdout", b"two"))
        elif step == "replace":
            with path.open("ab") as file:
                file.write(_line("stdout", b"333"))
            (tmp_path / "new").write_bytes(_line("stderr", b"four!"))
            (tmp_path / "new").rename(path)
        return step == "end"

    got: list[tuple[Stream, bytes]] = []
    follow_file(path, lambda stream, data: got.append((stream, data)), {"stdout": 4}, ended, 0)
    assert got == [("stdout", b"two\n"), ("stdout", b"333\n"), ("stderr", b"four!\n")]


def test_a_file_that_no_longer_has_what_is_to_be_skipped_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "ctr.log"
    path.write_bytes(_line("stdout", b"one"))
    steps = iter([False, True])

    def ended() -> bool:
        over = next(steps)
        if not over:
            with path.open("ab") as file:
                file.write(_line("stdout", b"new"))
        return over

    got: list[tuple[Stream, bytes]] = []
    follow_file(path, lambda stream, data: got.append((stream, data)), {"stdout": 1 << 40}, ended, 0)
    assert got == [("stdout", b"new\n")]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"nonsense\n")
    with pytest.raises(RuntimeFailure, match="nonsense"):
        follow_file(tmp_path / "log", lambda *_: None, None, lambda: True, 0)


def _line(stream: Stream, data: bytes) -> bytes:
    """What Podman's monitor writes: F when the line ended, here those of odd length."""
    flag = b"F" if len(data) % 2 else b"P"
    return b"2026-01-01T00:00:00.000000001+00:00 %s %s %s\n" % (stream.encode(), flag, data.replace(b"\n", b" "))


def _written(writes: Sequence[tuple[Stream, bytes]]) -> list[tuple[Stream, bytes]]:
    """What is to be read of them."""
    return [(stream, data.replace(b"\n", b" ") + (b"\n" if len(data) % 2 else b"")) for stream, data in writes]


def _text(entries: Sequence[tuple[Stream, bytes]], name: Stream) -> bytes:
    return b"".join(data for stream, data in entries if stream == name)
