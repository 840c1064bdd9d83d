"""A program that does its worst to its checkpoint directory: nothing leaves it, nothing hangs, everything is told."""

import itertools
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from sagestone.channels.checkpoints.marks import UPLOADED, UPLOADING, set_mark
from sagestone.channels.checkpoints.sync import CheckpointSync
from sagestone.channels.tree_scan import scan
from sagestone.s3.client import S3, S3Failure, Upload
from sagestone.s3.uri import S3Uri
from tests.unit.test_checkpoint_sync import PREFIX, Place

LOOKS = 300


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_is_followed_out_of_the_directory_and_all_of_it_is_told(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    sync = place.sync()
    (place.root / "link").symlink_to(tmp_path / "secret")
    (place.root / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(place.root / "pipe")
    os.mknod(place.root / "null", 0o20666, os.makedev(1, 3))
    (place.root / os.fsdecode(b"bad-\xff")).write_bytes(b"")
    deep = place.root
    for part in ("d" * 250, "e" * 250, "f" * 250, "g" * 250, "h" * 250):
        deep = deep / part
        deep.mkdir()
    (place.root / "fine").write_bytes(b"1")
    sync.look()
    sync.look(last=True)
    assert place.stored() == {"fine": b"1"}
    told = "\n".join(sorted(place.notes))
    for name, reason in [
        ("link", "is a link, and S3 has none"),
        ("linked", "is a link, and S3 has none"),
        ("pipe", "is a device, socket or pipe"),
        ("null", "is a device, socket or pipe"),
        ("bad-\\udcff", "is no UTF-8, as the keys of S3 are"),
    ]:
        assert f"checkpoints: '{name}' is left out: it {reason}" in told
    assert "has a path of more than 1015 bytes" in told
    assert len(place.notes) == 6  # each once, however often it is seen


@contextmanager
def _meanwhile(steps: Sequence[Callable[[], object]]) -> Iterator[None]:
    """Run the steps one after the other, again and again, on a thread that gets its turn at nearly every call."""
    end, before = threading.Event(), sys.getswitchinterval()

    def work() -> None:
        while not end.is_set():
            for step in steps:
                with suppress(OSError):
                    step()

    thread = threading.Thread(target=work)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        sys.setswitchinterval(before)


def _looks(place: Place, sync: CheckpointSync, witness: str = "") -> Iterator[int]:
    """Look again and again until a note that has `witness` in it shows that a look met the change, and often anyway.

    A last look waits for nothing to be stable, so it is the one that can be caught.
    """
    deadline = time.monotonic() + 60
    for number in itertools.count(1):
        with suppress(S3Failure):
            sync.look(last=True)
        yield number
        if number >= LOOKS and (not witness or any(witness in note for note in place.notes)):
            return
        assert time.monotonic() < deadline, f"no look met the change: {place.notes}"


def test_a_directory_that_turns_into_a_link_and_back_leaks_nothing(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    inside, spare = place.root / "d", place.root / "spare.sagemaker-ignore"
    inside.mkdir()
    (inside / "file").write_bytes(b"mine")
    sync = place.sync()
    steps: list[Callable[[], object]] = [
        lambda: inside.rename(spare),
        lambda: inside.symlink_to(outside),
        inside.unlink,
        lambda: spare.rename(inside),
    ]
    with _meanwhile(steps):
        for _ in _looks(place, sync, "'d' is left out: it is a link"):
            assert b"secret" not in place.stored().values()
    assert sorted(path.name for path in outside.iterdir()) == ["file"]  # not even a mark


def test_a_file_that_turns_into_a_pipe_a_link_and_a_device_holds_nobody(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    file = place.root / "file"
    sync = place.sync()
    steps: list[Callable[[], object]] = [
        lambda: file.write_bytes(b"mine"),
        file.unlink,
        lambda: os.mkfifo(file),
        file.unlink,
        lambda: file.symlink_to(tmp_path / "secret"),
        file.unlink,
        lambda: os.mknod(file, 0o20666, os.makedev(1, 5)),  # /dev/zero, which never ends
        file.unlink,
    ]
    with _meanwhile(steps):
        for _ in _looks(place, sync, "'file' is left out: it is a device"):
            assert set(place.stored().values()) <= {b"mine", b""}


def test_a_directory_that_is_removed_while_it_is_read_is_no_error(place: Place) -> None:
    sync = place.sync()
    deep = place.root / "a" / "b" / "c"
    steps: list[Callable[[], object]] = [
        lambda: deep.mkdir(parents=True),
        lambda: (deep / "file").write_bytes(b"mine"),
        lambda: shutil.rmtree(place.root / "a"),
    ]
    with _meanwhile(steps):
        for _ in _looks(place, sync):
            assert set(place.stored().values()) <= {b"mine", b""}
    shutil.rmtree(place.root / "a", ignore_errors=True)
    sync.look(last=True)
    assert place.stored() == {}


def test_marks_never_follow_a_link(place: Place, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / f"file{UPLOADED}").write_bytes(b"kept")
    (place.root / "d").symlink_to(tmp_path / "outside")
    (place.root / f"file{UPLOADING}").symlink_to(tmp_path / "outside" / "made")
    for mark in (UPLOADING, UPLOADED, None):
        set_mark(place.root, "d/file", mark)
        set_mark(place.root, "file", mark)
    assert [path.name for path in (tmp_path / "outside").iterdir()] == [f"file{UPLOADED}"]
    assert (tmp_path / "outside" / f"file{UPLOADED}").read_bytes() == b"kept"


def test_a_scan_of_nothing_is_not_whole(tmp_path: Path) -> None:
    assert not scan(tmp_path / "missing").whole
    (tmp_path / "link").symlink_to(tmp_path)
    assert not scan(tmp_path / "link").whole


def test_holes_and_a_file_that_never_ends_fill_no_store(place: Place) -> None:
    sync = CheckpointSync(place.s3, PREFIX, place.root, place.record, place.notes.append, limit_bytes=1 << 20)
    sync.begin()
    (place.root / "kept").write_bytes(b"1")
    for _ in range(2):
        sync.look()
    with (place.root / "0-sparse").open("wb") as file:
        file.truncate(1 << 40)
    with (place.root / "1-large").open("wb") as file:
        file.truncate(1 << 20)  # fits, but then nothing else does
    for last in (False, False, True):
        sync.look(last=last)
    assert {name: len(content) for name, content in place.stored().items()} == {"kept": 1, "1-large": 1 << 20}
    assert "checkpoints: '0-sparse' is left out: with it they are more than the 1048576 bytes" in place.notes[0]
    assert len(place.notes) == 2  # what S3 had before stays there, though it is more than the volume holds now


def test_a_file_that_grows_as_fast_as_it_is_read_is_given_up(place: Place) -> None:
    growing = place.root / "growing"
    growing.write_bytes(bytes(1 << 20))
    sync = CheckpointSync(cast(S3, _Feeding(place.s3, growing)), PREFIX, place.root, place.record, place.notes.append)
    sync.begin()
    growing.write_bytes(bytes(2 << 20))
    for _ in range(3):
        sync.look()
    assert place.stored() == {}
    assert growing.stat().st_size < 64 << 20


class _Feeding:
    """A store beside which a program adds to a file with each piece that is uploaded."""

    def __init__(self, s3: S3, file: Path) -> None:
        self._s3, self._file = s3, file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def upload(self, uri: S3Uri) -> "_FeedingUpload":
        return _FeedingUpload(self._s3.upload(uri), self._file)


class _FeedingUpload:
    def __init__(self, upload: Upload, file: Path) -> None:
        self._upload, self._file = upload, file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upload, name)

    def write(self, data: bytes) -> None:
        with self._file.open("ab") as file:
            file.write(bytes(1 << 20))
        assert self._file.stat().st_size < 64 << 20, "it would never end"
        self._upload.write(data)
