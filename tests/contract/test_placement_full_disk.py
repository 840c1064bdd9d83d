"""What lies in the way of a full disk can be put away on a full disk: a name of its own is all that it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.placement.interface import Reservation
from sagestone.placement.job_directories import JobDirectories
from tests.small_disk import small_disk
from tests.unit.pumped import wait_until


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for few files."""
    with small_disk(tmp_path / "disk", "size=1m,nr_inodes=40") as place:
        yield place


@pytest.mark.parametrize("keep", [False, True])
def test_a_job_that_filled_it_is_put_away(disk: Path, keep: bool) -> None:
    directories = JobDirectories(disk / "jobs")
    directories.write_reservation(Reservation(job="training/job", limits=(), network=None, runtime="sandbox"))
    instance = disk / "jobs" / "training" / "job" / "algo-1"
    instance.mkdir()
    with pytest.raises(OSError, match="No space left"):
        _fill(instance)
    (directories.keep if keep else directories.remove)("training/job")
    assert not instance.exists()
    wait_until(lambda: not list((disk / "jobs" / ".trash").iterdir()))
    assert directories.keys() == (["training/job"] if keep else [])
    (disk / "room").touch()


def test_a_file_is_put_away_as_directories_are(tmp_path: Path) -> None:
    directories = JobDirectories(tmp_path / "jobs")
    job = tmp_path / "jobs" / "training" / "job"
    job.mkdir(parents=True)
    (job / "reservation.json.new").write_text("half")
    directories.keep("training/job")
    wait_until(lambda: not list((tmp_path / "jobs" / ".trash").iterdir()))
    assert list(job.iterdir()) == []


def _fill(directory: Path) -> None:
    for number in range(1000):
        (directory / str(number)).touch()
