"""File mode when an agent was killed, when an object changes meanwhile, and when the disk is full."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.channels.downloads import Progress
from sagestone.channels.new_file import PIECE
from sagestone.domain.failure import JobFailure
from sagestone.s3.client import SourceObject, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.uri import S3Uri
from tests.unit.test_channels_file import CHANNEL, fetched, stored


class CountingS3(EmbeddedS3):
    """The embedded store, which remembers what was fetched from it, and does what a test asks before each time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.fetched: list[str] = []
        self.overwrite: S3Uri | None = None

    def fetch(self, found: SourceObject, target: int, start: int, stop: int) -> None:
        self.fetched.append(f"{found.uri.key}@{start}")
        if self.overwrite is not None:
            write_all(self, self.overwrite, [b"another"])
            self.overwrite = None
        super().fetch(found, target, start, stop)


def _counting(directory: Path) -> CountingS3:
    return CountingS3(directory / "s3")


def test_what_is_whole_and_still_the_same_is_kept(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {f"in/d{number % 3}/{number}": b"%d" % number for number in range(20)})
    fetched(s3, tmp_path)
    place = tmp_path / "host-1"
    with (tmp_path / "journal-1").open("ab") as journal:
        journal.write(b'["d0/half","abc')  # its writer was killed
    (place / "d0" / "half").write_bytes(b"begun, and not in the journal")
    (place / "d1" / "1").write_bytes(b"longer than it was")
    write_all(s3, S3Uri("data", "in/d2/2"), [b"new"])
    s3.delete(S3Uri("data", "in/d0/3"))
    (place / "d1" / "link").symlink_to("/etc/passwd")
    again, progress = _counting(tmp_path), Progress()
    objects, files = fetched(again, tmp_path, progress=progress)
    assert objects == 19
    assert sorted(again.fetched) == ["in/d1/1@0", "in/d2/2@0"]
    expected = {f"d{n % 3}/{n}": b"%d" % n for n in range(20) if n != 3} | {"d2/2": b"new"}
    assert files == expected
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir()) == sorted(expected)
    assert (progress.objects, progress.bytes) == (progress.of_objects, progress.of_bytes)
    third = _counting(tmp_path)
    assert fetched(third, tmp_path)[1] == expected
    assert third.fetched == []


def test_nothing_is_believed_after_a_restart_of_the_machine(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/a": b"1", "in/b": b"2"})
    fetched(s3, tmp_path)
    journal = tmp_path / "journal-1"
    first, _, rest = journal.read_bytes().partition(b"\n")
    journal.write_bytes(b'["another boot"]\n' + rest)
    again = _counting(tmp_path)
    assert fetched(again, tmp_path)[1] == {"a": b"1", "b": b"2"}
    assert len(again.fetched) == 2
    assert journal.read_bytes().startswith(first)


def test_two_objects_of_one_path_clash_also_when_one_is_kept(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/in2/y": b"same"})
    channel = replace(CHANNEL, s3_uri="s3://data/in")
    fetched(s3, tmp_path, channel)
    write_all(s3, S3Uri("data", "in2/y"), [b"same"])
    with pytest.raises(JobFailure, match="in2/y would become the file in2/y"):
        fetched(s3, tmp_path, channel)


def test_a_large_object_comes_in_pieces(tmp_path: Path) -> None:
    content = os.urandom(1024) * (2 * PIECE // 1024) + b"end"
    stored(tmp_path, {"in/large": content})
    s3, progress = _counting(tmp_path), Progress()
    _, files = fetched(s3, tmp_path, progress=progress)
    assert files["large"] == content
    assert sorted(s3.fetched) == sorted(f"in/large@{start}" for start in (0, PIECE, 2 * PIECE))
    assert (progress.objects, progress.bytes) == (1, len(content))


@pytest.mark.parametrize("size", [7, 2 * PIECE])
def test_an_object_that_is_overwritten_meanwhile_fails_the_job(tmp_path: Path, size: int) -> None:
    stored(tmp_path, {"in/k": bytes(size)})
    s3 = _counting(tmp_path)
    s3.overwrite = S3Uri("data", "in/k")
    with pytest.raises(JobFailure, match="s3://data/in/k: the object was overwritten while it was being read") as told:
        fetched(s3, tmp_path)
    assert told.value.failure.fault == "client"
    assert fetched(_counting(tmp_path), tmp_path)[1] == {"k": b"another"}


FULL = """
import subprocess, sys
from pathlib import Path
from sagestone.channels.downloads import Progress
from sagestone.channels.file import fetch_channel
from sagestone.channels.room import Room
from sagestone.domain.failure import JobFailure
from sagestone.s3.embedded import EmbeddedS3
from tests.unit.test_channels_file import ALONE, CHANNEL
home = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "none", home / "disk"], check=True)
try:
    fetch_channel(
        EmbeddedS3(home / "s3"), CHANNEL, ALONE, home / "disk" / "train", None, home / "journal", Room(limit=None),
        lambda: None, Progress(),
    )
except JobFailure as failure:
    print(failure.failure.reason)
"""


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ({"in/large": bytes(1_500_000)}, "no room for s3://data/in/large of 1.4 MiB: No space left on device, "),
        ({f"in/{number}": b"" for number in range(40)}, "no file can be made for s3://data/in/"),
    ],
)
def test_a_full_disk_is_the_clients_fault_and_named(tmp_path: Path, objects: dict[str, bytes], says: str) -> None:
    stored(tmp_path, objects)
    (tmp_path / "disk").mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", FULL, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), timeout=60)
    assert found.stdout.startswith("ClientError: Data download failed:Insufficient disk space: channel train"), found
    assert says in found.stdout
