"""A sandbox whose disk is full: that is no fault of the image, and the container is as it was before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagestone.containers.runtime import Exit, RuntimeFailure
from sagestone.containers.sandbox.runtime import SandboxRuntime
from tests.contract.runtimes import IMAGE, Bench
from tests.images import script, write_archive
from tests.small_disk import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    with small_disk(tmp_path / "disk", "size=16m,nr_inodes=300") as place:
        yield place


def test_it_is_said_and_the_container_starts_when_there_is_room(disk: Path) -> None:
    runtime = SandboxRuntime(disk / "sandbox")
    bench = Bench(runtime=runtime, labels={"sagestone.test": "full"}, directory=disk)
    write_archive(disk / "image.tar", IMAGE, {"/bin/hello": script("echo hello")})
    runtime.load_archive(disk / "image.tar")
    container = bench.create(["hello"])
    filler = disk / "filler"
    filler.mkdir()
    with pytest.raises(OSError, match="No space left"):
        _fill(filler)
    refusals = []
    for taken in sorted(filler.iterdir()):  # it fails a little further on each time
        refusal = _refusal(runtime, container)
        if refusal is None:
            break
        refusals.append(refusal)
        assert [each.started for each in runtime.find(bench.labels)] == [False]
        taken.unlink()
    assert all("No space left on device" in str(refusal) for refusal in refusals), refusals
    assert {type(refusal) for refusal in refusals} == {OSError, RuntimeFailure}  # never StartFailed
    assert bench.ended(container) == Exit(code=0)
    assert bench.output(container).stdout == b"hello\n"
    runtime.remove(container)
    assert list((disk / "sandbox" / "containers").iterdir()) == []


def _refusal(runtime: SandboxRuntime, container: str) -> Exception | None:
    """Of a start; None where it went well."""
    try:
        runtime.start(container)
    except (OSError, RuntimeFailure) as refusal:
        return refusal
    return None


def _fill(directory: Path) -> None:
    for number in range(1000):
        (directory / str(number)).touch()
