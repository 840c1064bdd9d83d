"""File mode that was given up while a download went on: what still comes to its end touches no file of another."""

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from sagestone.domain.failure import JobFailure
from sagestone.s3.client import S3Failure, SourceObject
from sagestone.s3.embedded import EmbeddedS3
from tests.unit.test_channels_file import fetched, stored


class StuckS3(EmbeddedS3):
    """The embedded store; `in/stuck` comes when a test lets it, and then `in/broken` has failed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None
        self.highest = 0  # of the descriptors that were open when it began

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        if found.uri.key == "in/broken":
            assert self.begun.wait(60)
            raise S3Failure("s3://data/in/broken: is broken")
        self.thread, self.highest = threading.current_thread(), highest_descriptor()
        self.begun.set()
        assert self.let_go.wait(60)
        super().fetch(found, target, start, stop)


def highest_descriptor() -> int:
    return max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  numbers, no paths


def files_up_to(highest: int, directory: Path, held: ExitStack) -> list[IO[bytes]]:
    """New files that have every number up to that one that was free."""
    files: list[IO[bytes]] = []
    while not files or files[-1].fileno() < highest:
        files.append(held.enter_context((directory / f"fresh-{len(files)}").open("w+b")))
    return files


def test_a_download_that_ends_after_the_channel_failed_writes_to_no_file_of_another(tmp_path: Path) -> None:
    stored(tmp_path, {"in/broken": b"1", "in/stuck": b"2"})
    s3 = StuckS3(tmp_path / "s3")
    with pytest.raises(JobFailure, match="is broken"):
        fetched(s3, tmp_path)
    with ExitStack() as held:
        fresh = files_up_to(s3.highest, tmp_path, held)
        s3.let_go.set()
        assert s3.thread is not None
        s3.thread.join(60)
        assert not s3.thread.is_alive()
        assert [os.pread(file.fileno(), 100, 0) for file in fresh] == [b""] * len(fresh)
    assert (tmp_path / "host-1" / "stuck").read_bytes() == b"2"
    assert len((tmp_path / "journal-1").read_bytes().splitlines()) == 1, "what nobody waited for is not vouched for"
