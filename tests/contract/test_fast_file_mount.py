"""A channel mounted on this machine: the paths of File mode, hostile names, ends of its server, leftovers."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from sagestone.agent.build import build_s3
from sagestone.agent.fast_file import Order
from sagestone.agent.parts import S3Part
from sagestone.channels.fast_file.channel import FastFileChannel, take_down_all
from sagestone.channels.fuse.mount import complaint, mounts_below
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from tests.many_objects import CONTENT, add_objects
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face
from tests.unit.test_channels_file import ALONE, CHANNEL, fetched, stored

FAST = replace(CHANNEL, input_mode="FastFile")


class Mounted:
    """The live part of a channel that is mounted, on the store in a directory: by its files, or over HTTP."""

    def __init__(self, directory: Path, endpoint: str | None) -> None:
        self.directory = directory / "fast file"
        self._part = S3Part(kind="embedded", directory=str(directory / "s3"))
        if endpoint is not None:
            self._part = S3Part(
                kind="remote", endpoint_url=endpoint, region=REGION, access_key=ACCESS_KEY, secret_key=SECRET_KEY
            )

    def channel(self, channel: Channel = FAST, share: Share = ALONE, most_links: int = 0) -> FastFileChannel:
        order = Order(s3=self._part, channel=channel, share=share, directory=str(self.directory))
        seen, s3 = self.directory / "seen", build_s3(self._part)
        line = msgspec.json.encode(order)
        return FastFileChannel(s3, channel, share, self.directory, seen, order=line, most_links=most_links)

    def files(self, part: FastFileChannel) -> dict[str, bytes]:
        """Start, read everything, stop."""
        part.start(lambda: None)
        (mount,) = part.mounts()
        found = {str(path.relative_to(mount.source)): path.read_bytes() for path in _files(mount.source)}
        part.stop()
        return found

    def server(self) -> int:
        return int((self.directory / "train.lock").read_text().split()[0])


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@pytest.fixture(params=["embedded", "remote"])
def mounted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mounted]:
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    with running_face(tmp_path / "s3") as face:
        here = Mounted(tmp_path, face.endpoint if request.param == "remote" else None)
        yield here
        take_down_all(here.directory)


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


HOSTILE = {
    unicodedata.normalize("NFC", "é"): b"one",
    unicodedata.normalize("NFD", "é"): b"two",
    "line\nend": b"3",
    "d/" * 100 + "deep": b"4",
    "/".join("k" * 240 for _ in range(4)): b"5",
    "empty": b"",
    "a+b %20&=?": b"6",
    "large": bytes(range(256)) * 20_000,
}


@pytest.mark.parametrize("uri", ["s3://data/in/", "s3://data/in", "s3://data/in/large"])
def test_the_files_are_those_of_file_mode(mounted: Mounted, tmp_path: Path, uri: str) -> None:
    s3 = stored(tmp_path, {**{f"in/{name}": content for name, content in HOSTILE.items()}, "in/marker/": b""})
    part = mounted.channel(replace(FAST, s3_uri=uri))
    assert mounted.files(part) == fetched(s3, tmp_path, replace(CHANNEL, s3_uri=uri))[1]
    assert mounts_below(tmp_path) == []


def test_a_manifest_and_its_shards(mounted: Mounted, tmp_path: Path) -> None:
    stored(tmp_path, {"in/a": b"1", "in/b": b"2", "in/c": b"3", "m": b'[{"prefix": "s3://data/in/"}, "c", "a"]'})
    manifest = replace(FAST, s3_data_type="ManifestFile", s3_uri="s3://data/m", distribution="ShardedByS3Key")
    shards = [mounted.files(mounted.channel(manifest, Share(number=n, count=2))) for n in (1, 2)]
    assert shards == [{"in/c": b"3"}, {"in/a": b"1"}]


@pytest.mark.parametrize("keys", [("in/a", "in/a/b"), ("in/../x",), ("in//x",), ("in/" + "n" * 256,), ("other",)])
def test_what_cannot_be_shown_is_refused_as_in_file_mode(
    mounted: Mounted, tmp_path: Path, keys: tuple[str, ...]
) -> None:
    s3 = stored(tmp_path, dict.fromkeys(keys, b"it"))
    with pytest.raises(JobFailure) as in_file_mode:
        fetched(s3, tmp_path)
    part = mounted.channel()
    with pytest.raises(JobFailure) as told:
        part.start(lambda: None)
    assert told.value.failure.fault == "client"
    key = keys[-1] if keys[-1] != "other" else "No S3 objects found"
    assert key in told.value.failure.message
    assert key in in_file_mode.value.failure.message
    part.stop()
    assert mounts_below(tmp_path) == []


def test_a_program_reads_at_any_place_and_cannot_write(mounted: Mounted, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    stored(tmp_path, {"in/large": content})
    add_objects(tmp_path / "s3", "data", [f"in/many/{number:04}" for number in range(3000)])
    part = mounted.channel()
    assert part.start(lambda: None) >= 1000
    root = part.mounts()[0].source
    with (root / "large").open("rb", buffering=0) as file:
        for place in (2_999_990, 5, 1_500_000, 0):
            file.seek(place)
            assert file.read(1000) == content[place : place + 1000]
    assert sorted(os.listdir(root / "many")) == [f"{number:04}" for number in range(3000)]  # noqa: PTH208
    assert (root / "many" / "0007").stat().st_size == len(CONTENT)
    assert not (root / "nothing").exists()
    with pytest.raises(OSError, match="Read-only file system"):
        (root / "new").touch()
    with pytest.raises(OSError, match="Read-only file system"):
        (root / "large").unlink()
    with pytest.raises(OSError, match="Read-only file system"):
        (root / "large").open("r+b")
    assert part.failure() is None
    part.stop()


def test_a_server_that_is_killed_fails_the_job_and_leaves_nothing(mounted: Mounted, tmp_path: Path) -> None:
    stored(tmp_path, {"in/a": b"1"})
    part = mounted.channel()
    part.start(lambda: None)
    assert part.failure() is None
    os.kill(mounted.server(), signal.SIGKILL)
    _eventually(lambda: part.failure() is not None)
    failure = part.failure()
    assert failure is not None
    assert failure.fault == "internal"
    part.stop()
    assert mounts_below(tmp_path) == []
    assert mounted.files(mounted.channel()) == {"a": b"1"}


def test_the_server_outlives_its_agent_and_is_swept_with_the_job(mounted: Mounted, tmp_path: Path) -> None:
    stored(tmp_path, {"in/a": b"1"})
    mounted.channel().start(lambda: None)
    again = mounted.channel()
    again.resume()
    assert again.failure() is None
    server = mounted.server()
    held = os.open(again.mounts()[0].source / "a", os.O_RDONLY)
    take_down_all(mounted.directory)  # while somebody still uses it
    assert mounts_below(tmp_path) == []
    with pytest.raises(OSError, match="not connected"):
        os.close(held)
    _eventually(lambda: not Path(f"/proc/{server}/fd").exists() or not list(Path(f"/proc/{server}/fd").iterdir()))
    again.stop()


def test_starting_is_broken_off_by_the_watch(mounted: Mounted, tmp_path: Path) -> None:
    stored(tmp_path, {"in/a": b"1"})

    def watch() -> None:
        raise InterruptedError

    part = mounted.channel()
    with pytest.raises(InterruptedError):
        part.start(watch)
    assert not (mounted.directory / "train.lock").exists()  # which the server held from its first moment
    assert mounts_below(tmp_path) == []


def test_a_program_that_waits_for_its_file_can_be_killed(tmp_path: Path) -> None:
    """A shard's file is waited for until the listing is past it: here it stands after its second page."""
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    goes_on = threading.Event()

    async def stand(request: web.BaseRequest) -> None:
        while "continuation-token" in request.query and not goes_on.is_set():
            await asyncio.sleep(0.01)

    stored(tmp_path, {})
    add_objects(tmp_path / "s3", "data", [f"in/{number:04}" for number in range(2000)])
    with running_face(tmp_path / "s3", arrived=stand) as face:
        here = Mounted(tmp_path, face.endpoint)
        sharded = replace(FAST, distribution="ShardedByS3Key")
        part = here.channel(sharded, Share(number=1, count=2))
        try:
            part.start(lambda: None)
            root = part.mounts()[0].source
            assert (root / "0000").read_bytes() == CONTENT
            assert not part.settled()
            reader = subprocess.Popen(["cat", root / "1998"], stdout=subprocess.PIPE)
            with pytest.raises(subprocess.TimeoutExpired):
                reader.wait(0.2)
            reader.kill()
            reader.communicate(timeout=30)
            goes_on.set()
            assert (root / "1998").read_bytes() == CONTENT
            assert not (root / "1999").exists()
            _eventually(part.settled)
        finally:
            goes_on.set()
            part.stop()


def test_a_listing_that_fails_late_fails_the_job_with_its_uri(tmp_path: Path) -> None:
    if (why := complaint()) is not None:
        pytest.skip(f"nothing can be mounted here: {why}")
    refuse = threading.Event()

    async def refusing(request: web.BaseRequest) -> None:
        while "continuation-token" in request.query and not refuse.is_set():
            await asyncio.sleep(0.01)
        if refuse.is_set():
            raise web.HTTPForbidden(text="no more")

    stored(tmp_path, {})
    add_objects(tmp_path / "s3", "data", [f"in/{number:04}" for number in range(2000)])
    with running_face(tmp_path / "s3", arrived=refusing) as face:
        part = Mounted(tmp_path, face.endpoint).channel()
        try:
            part.start(lambda: None)
            root = part.mounts()[0].source
            assert (root / "1999").stat().st_size == len(CONTENT)  # asked for itself
            assert part.failure() is None
            refuse.set()
            _eventually(lambda: part.failure() is not None)
            failure = part.failure()
            assert failure is not None
            assert "Data download failed:Channel train: s3://data/in/" in failure.message
            assert part.settled()
            with pytest.raises(OSError, match="Input/output error"):
                os.listdir(root)  # noqa: PTH208
        finally:
            part.stop()


def test_a_user_without_rights_is_told_what_to_install(tmp_path: Path) -> None:
    program = "import os; from sagestone.channels.fuse.mount import complaint; os.setuid(65534); print(complaint())"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PATH": str(tmp_path)}, timeout=60
    )
    assert "install the package fuse3" in found.stdout, found
