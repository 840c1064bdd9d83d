"""FastFile beside the embedded store: names for its blobs, at the paths of File mode, and nothing that writes."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from sagestone.channels.fast_file.channel import FastFileChannel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.many_objects import add_objects
from tests.unit.test_channels_file import ALONE, CHANNEL, fetched, stored

FAST = replace(CHANNEL, input_mode="FastFile")


def _shown(
    s3: EmbeddedS3, directory: Path, channel: object = FAST, share: Share = ALONE
) -> tuple[int, dict[str, bytes]]:
    part = _part(s3, directory, channel, share)
    objects = part.start(lambda: None)
    (mount,) = part.mounts()
    assert mount.read_only
    files = {str(p.relative_to(mount.source)): p.read_bytes() for p in mount.source.rglob("*") if p.is_file()}
    part.stop()
    part.stop()
    assert not mount.source.exists()
    return objects, files


def _part(s3: EmbeddedS3, directory: Path, channel: object = FAST, share: Share = ALONE) -> FastFileChannel:
    return FastFileChannel(s3, channel, share, directory / "links", directory / "seen")  # type: ignore[arg-type]


OBJECTS = {"in/": b"", "in/b": b"b" * 5000, "in/a/x.csv": b"x", "in/a/d/e": b"", "in/ü/é": b"1", "other": b"no"}


@pytest.mark.parametrize("uri", ["s3://data/in/", "s3://data/in", "s3://data/in/b", "s3://data/in/a"])
def test_the_files_are_those_of_file_mode(tmp_path: Path, uri: str) -> None:
    s3 = stored(tmp_path, OBJECTS)
    assert _shown(s3, tmp_path, replace(FAST, s3_uri=uri)) == fetched(s3, tmp_path, replace(CHANNEL, s3_uri=uri))


def test_a_manifest_and_shards(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {**OBJECTS, "m.json": b'[{"prefix": "s3://data/in/"}, "b", "a/x.csv", "b"]'})
    manifest = replace(FAST, s3_data_type="ManifestFile", s3_uri="s3://data/m.json", distribution="ShardedByS3Key")
    assert _shown(s3, tmp_path, manifest, Share(number=1, count=2)) == (2, {"in/b": b"b" * 5000})
    assert _shown(s3, tmp_path, manifest, Share(number=2, count=2)) == (2, {"in/a/x.csv": b"x"})
    assert _shown(s3, tmp_path, manifest, Share(number=3, count=3)) == (2, {})


@pytest.mark.parametrize("uri", ["s3://data/tra", "s3://data/train", "s3://data/train-01/da"])
def test_a_partial_prefix_is_refused(tmp_path: Path, uri: str) -> None:
    s3 = stored(tmp_path, {"train-01/data.csv": b"1", "train/data.csv": b"2"})
    with pytest.raises(JobFailure, match="For FastFile mode, partial S3 prefix is not supported") as told:
        _part(s3, tmp_path, replace(FAST, s3_uri=uri)).start(lambda: None)
    assert told.value.failure.reason.startswith(
        "ClientError: Data download failed:Failed to download data. For FastFile"
    )
    assert _shown(s3, tmp_path, replace(FAST, s3_uri="s3://data/train-01"))[1] == {"data.csv": b"1"}


@pytest.mark.parametrize("keys", [("in/a", "in/a/b"), ("in/../x",), ("in//x",), ("in/" + "n" * 256,), ("in/d/",)])
def test_what_cannot_become_a_file_is_refused_as_in_file_mode(tmp_path: Path, keys: tuple[str, ...]) -> None:
    s3 = stored(tmp_path, dict.fromkeys(keys, b"it"))
    with pytest.raises(JobFailure) as in_file_mode:
        fetched(s3, tmp_path)
    with pytest.raises(JobFailure) as told:
        _part(s3, tmp_path).start(lambda: None)
    assert told.value.failure == in_file_mode.value.failure


def test_what_was_listed_stays_whatever_becomes_of_the_objects(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/a": b"as listed", "in/b": b"also"})
    part = _part(s3, tmp_path)
    part.start(lambda: None)
    write_all(s3, S3Uri("data", "in/a"), [b"new"])
    s3.delete(S3Uri("data", "in/b"))
    storage = open_storage(tmp_path / "s3")
    storage.sweep()
    storage.close()
    assert [(tmp_path / "links" / "files" / "train" / name).read_bytes() for name in "ab"] == [b"as listed", b"also"]
    part.stop()
    assert fetched(s3, tmp_path)[1] == {"a": b"new"}


def test_files_that_were_taken_away_fail_a_job_that_is_taken_up(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/a": b"1"})
    _part(s3, tmp_path).start(lambda: None)
    again = _part(s3, tmp_path)
    again.resume()
    assert again.failure() is None
    again.stop()
    again.resume()
    failure = again.failure()
    assert failure is not None
    assert failure.fault == "internal"


def test_a_hundred_thousand_objects(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {})
    add_objects(tmp_path / "s3", "data", [f"in/{number % 100:02}/{number:06}" for number in range(100_000)])
    part = FastFileChannel(s3, FAST, ALONE, tmp_path / "links", tmp_path / "seen", most_links=100_000)
    looks: list[float] = []
    assert part.start(lambda: looks.append(time.monotonic())) == 100_000
    assert len(looks) > 300
    assert sum(1 for each in (tmp_path / "links" / "files" / "train").iterdir() for _ in each.iterdir()) == 100_000
    part.stop()
