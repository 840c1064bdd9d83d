"""File mode against the embedded store: what lands where, and what stops it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.channels.downloads import Progress
from sagestone.channels.file import fetch_channel
from sagestone.channels.room import Room
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri

CHANNEL = Channel(
    name="train", s3_data_type="S3Prefix", s3_uri="s3://data/in/", distribution="FullyReplicated", input_mode="File"
)
ALONE = Share(number=1, count=1)


def stored(directory: Path, objects: Mapping[str, bytes]) -> EmbeddedS3:
    storage = open_storage(directory / "s3")
    storage.buckets.create("data", "us-east-1", time.time())
    storage.close()
    s3 = EmbeddedS3(directory / "s3")
    for key, content in objects.items():
        write_all(s3, S3Uri("data", key), [content])
    return s3


def fetched(
    s3: S3,
    directory: Path,
    channel: Channel = CHANNEL,
    host: Share = ALONE,
    room: Room | None = None,
    watch: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> tuple[int, dict[str, bytes]]:
    target = directory / f"host-{host.number}"
    sidecar = directory / "sidecar"
    journal = directory / f"journal-{host.number}"
    objects = fetch_channel(
        s3, channel, host, target, sidecar, journal, room or Room(limit=None), watch, progress or Progress()
    )
    files = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    return objects, files


def test_every_object_lands_whole_with_its_sidecar_line(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/": b"", "in/b.csv": b"b" * 5000, "in/a/x.csv": b"x", "in/empty": b"", "inside": b"no"})
    objects, files = fetched(s3, tmp_path)
    assert objects == 3
    assert files == {"a/x.csv": b"x", "b.csv": b"b" * 5000, "empty": b""}
    assert (tmp_path / "sidecar").read_text() == "in/\ns3://data/in/a/x.csv\ns3://data/in/b.csv\ns3://data/in/empty\n"
    assert oct((tmp_path / "host-1" / "a" / "x.csv").stat().st_mode & 0o777) == "0o644"


def test_shards_of_many_objects_are_disjoint_and_complete(tmp_path: Path) -> None:
    objects = {f"in/{number:03}": str(number).encode() for number in range(150)}
    s3 = stored(tmp_path, objects)
    channel = replace(CHANNEL, distribution="ShardedByS3Key")
    received: dict[str, bytes] = {}
    for number in (1, 2, 3, 4):
        count, files = fetched(s3, tmp_path, channel, Share(number=number, count=4))
        assert count == 150
        assert not files.keys() & received.keys()
        received |= files
        assert (tmp_path / "sidecar").read_text().count("\n") == 151
    assert received == {key.removeprefix("in/"): content for key, content in objects.items()}


def test_a_manifest_names_the_objects_and_each_counts_once(tmp_path: Path) -> None:
    manifest = b'[{"prefix": "s3://data/deep/er/"}, "b", "a/c", "b"]'
    s3 = stored(tmp_path, {"m.json": manifest, "deep/er/b": b"1", "deep/er/a/c": b"2", "deep/er/other": b"3"})
    channel = replace(CHANNEL, s3_data_type="ManifestFile", s3_uri="s3://data/m.json")
    assert fetched(s3, tmp_path, channel) == (2, {"deep/er/b": b"1", "deep/er/a/c": b"2"})


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ({"in/a": b"1", "in/a/b": b"2"}, "another object of channel train"),
        ({"in/../../escaped": b"1"}, "'..'"),
        ({"in/a//b": b"1"}, "illegal char sub-sequence '//'"),
        ({"other": b"1"}, "No S3 objects found under S3 URL"),
    ],
)
def test_what_cannot_become_files_fails_the_job(tmp_path: Path, objects: dict[str, bytes], says: str) -> None:
    s3 = stored(tmp_path, objects)
    with pytest.raises(JobFailure, match=says) as failure:
        fetched(s3, tmp_path)
    assert failure.value.failure.message.startswith("Data download failed:")
    assert failure.value.failure.fault == "client"
    assert not (tmp_path / "escaped").exists()


def test_two_keys_that_come_to_one_path_are_refused(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/in2/y": b"1", "in2/y": b"2"})
    with pytest.raises(JobFailure, match="in2/y"):
        fetched(s3, tmp_path, replace(CHANNEL, s3_uri="s3://data/in"))


def test_a_volume_that_is_too_small_is_told_with_sizes(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {f"in/{number}": b"x" * 1000 for number in range(10)})
    with pytest.raises(JobFailure) as failure:
        fetched(s3, tmp_path, room=Room(limit=9000, used=500))
    message = failure.value.failure.message
    assert message.startswith("Data download failed:Insufficient disk space: channel train has 9.8 KiB for this host")
    assert "8.8 KiB" in message
    room = Room(limit=10_500, used=500)
    fetched(s3, tmp_path, host=Share(number=2, count=2), room=room)
    assert room.used == 10_500


def test_watching_breaks_off(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {f"in/{number}": b"x" for number in range(200)})
    looks = 0

    def watch() -> None:
        nonlocal looks
        looks += 1
        if looks == 50:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fetched(s3, tmp_path, watch=watch)


@pytest.mark.parametrize(
    "channel",
    [
        replace(CHANNEL, input_mode="Pipe"),
        replace(CHANNEL, input_mode="FastFile"),
        replace(CHANNEL, s3_data_type="AugmentedManifestFile"),
        replace(CHANNEL, s3_uri="https://"),
    ],
)
def test_what_is_not_supported_is_said(tmp_path: Path, channel: Channel) -> None:
    with pytest.raises(JobFailure, match="Channel train"):
        fetched(stored(tmp_path, {}), tmp_path, channel)
