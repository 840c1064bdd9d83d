"""Files that are there whole or not at all."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagestone.durable import cut_half_line, start_writing, whole_file


def write(path: Path, content: bytes, *, new: bool = False) -> None:
    with whole_file(path, new=new) as file:
        file.write(content)


def test_it_appears_at_the_end_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    for new, content in ((True, b"first"), (False, b"second")):
        with whole_file(path, new=new) as file:
            file.write(content)
            file.flush()
            assert path.exists() is not new
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def _fail_in_the_middle(path: Path, *, new: bool) -> None:
    with whole_file(path, new=new) as file:
        file.write(b"half")
        raise RuntimeError("in the middle")


@pytest.mark.parametrize("new", [True, False])
def test_what_fails_leaves_everything_as_it_was(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "kept"
    if not new:
        write(path, b"before")
    with pytest.raises(RuntimeError, match="in the middle"):
        _fail_in_the_middle(path, new=new)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == ([] if new else [("kept", b"before")])


def test_what_a_writer_leaves_who_dies_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write(path, b"before")
    child = os.fork()
    if child == 0:
        with whole_file(path) as file:
            file.write(b"much more than comes afterwards")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert path.read_bytes() == b"before"
    write(path, b"after")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("kept", b"after")]


def test_of_several_who_make_it_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "kept"

    def attempt(number: int) -> int | None:
        try:
            write(path, b"%d" % number * 10_000, new=True)
        except FileExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        (winner,) = [number for number in pool.map(attempt, range(8)) if number is not None]
    assert path.read_bytes() == b"%d" % winner * 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_begins_early_changes_nothing(tmp_path: Path) -> None:
    path, content = tmp_path / "growing", os.urandom(3 << 20)
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), 1 << 20):
            file.write(content[start : start + (1 << 20)])
            start_writing(file.fileno(), start, 1 << 20)
    assert path.read_bytes() == content
    reading, writing = os.pipe()
    start_writing(writing, 0, 10)  # has no place on a disk: left to the fsync to say so
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("content", [b"", b"x" * 200_000, b"one\n" + b"x" * 200_000, b"x" * 200_000 + b"\n"])
def test_half_a_line_is_cut_however_long_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lines").write_bytes(content)
    descriptor = os.open(tmp_path / "lines", os.O_RDWR)
    cut_half_line(descriptor)
    os.close(descriptor)
    assert (tmp_path / "lines").read_bytes() == content[: content.rfind(b"\n") + 1]
