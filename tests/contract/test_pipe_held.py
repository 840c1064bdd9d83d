"""Small objects of the embedded store stay open from the first epoch of a Pipe channel on, and no longer than it."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.channels.pipe.held import HeldFiles
from sagestone.channels.recordio import MAGIC
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.contract.test_pipe_channel import Reading
from tests.unit.test_channels_recordio import read_records

LARGE = b"l" * 300_000
CONTENTS = [b"", b"1", b"a" * 4095, b"b" * 4096, b"c" * 10_241, b"xxxx" + MAGIC + b"d" * 9000, LARGE, b"e" * 131_072]


@pytest.fixture
def s3(tmp_path: Path) -> EmbeddedS3:
    storage = open_storage(tmp_path / "store")
    storage.buckets.create("data", "us-east-1", 0.0)
    storage.close()
    s3 = EmbeddedS3(tmp_path / "store")
    for number, content in enumerate(CONTENTS):
        write_all(s3, S3Uri("data", f"in/{number}"), [content])
    return s3


def _open_blobs(tmp_path: Path) -> int:
    """How many of the store's blobs this process has open."""
    return sum(str(tmp_path / "store" / "blobs") in target for target in _targets())


def _targets() -> Iterator[str]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            yield str(link.readlink())
        except FileNotFoundError:  # the listing's own
            continue


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
@pytest.mark.parametrize("seed", [None, 3])
def test_every_epoch_is_the_same_and_nothing_stays_open_after_it(
    s3: EmbeddedS3, tmp_path: Path, wrapper: str, seed: int | None
) -> None:
    reading = Reading(s3, tmp_path, record_wrapper=wrapper, shuffle_seed=seed)
    for epoch in range(4):
        content = reading.epoch(epoch)
        if wrapper == "RecordIO":
            assert sorted(read_records(content)) == sorted(CONTENTS)
        else:
            assert len(content) == sum(map(len, CONTENTS))
            assert seed is not None or content == b"".join(CONTENTS)
    assert _open_blobs(tmp_path) == len(CONTENTS) - 1
    reading.part.stop()
    assert _open_blobs(tmp_path) == 0
    reading.part.stop()


def test_an_object_that_was_sent_once_is_sent_again_as_it_was(s3: EmbeddedS3, tmp_path: Path) -> None:
    reading = Reading(s3, tmp_path)
    first = reading.epoch(0)
    write_all(s3, S3Uri("data", "in/2"), [b"overwritten"])
    s3.delete(S3Uri("data", "in/3"))
    assert reading.epoch(1) == first
    reading.part.stop()


def test_an_epoch_that_is_left_early_leaves_the_next_ones_whole(s3: EmbeddedS3, tmp_path: Path) -> None:
    reading = Reading(s3, tmp_path)
    for epoch in range(3):
        with reading.open(epoch) as fifo:
            fifo.read(10)
    assert reading.epoch(3) == b"".join(CONTENTS)
    reading.part.stop()
    assert _open_blobs(tmp_path) == 0


def test_no_more_is_held_than_there_is_room_for() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1_000_000 if hard == resource.RLIM_INFINITY else hard
    held = HeldFiles(count=50_000, channels=2)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 1024), hard))
        taken = 0
        while held.hold(taken, -1):
            taken += 1
        assert taken == max(0, min(most - 1024, 32_768)) // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_is_held_is_let_go_of_once() -> None:
    held = HeldFiles(count=10, channels=1)
    assert held.get(7) == -1
    out, in_ = os.pipe()
    if held.hold(7, in_):
        assert held.get(7) == in_
    else:  # this machine allows hardly any
        os.close(in_)
    held.close()
    held.close()
    assert (held.get(7), held.hold(7, in_)) == (-1, False)
    assert os.read(out, 1) == b""  # nobody has the other end
    os.close(out)
