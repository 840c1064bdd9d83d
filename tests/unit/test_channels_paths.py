"""From S3 key to path, and who receives which object."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.paths import relative_path
from sagestone.channels.source import is_mine
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.uri import S3Uri

PREFIXED = Channel(
    name="train", s3_data_type="S3Prefix", s3_uri="s3://b/", distribution="FullyReplicated", input_mode="File"
)
LISTED = Channel(
    name="train", s3_data_type="ManifestFile", s3_uri="s3://b/m", distribution="FullyReplicated", input_mode="File"
)


@pytest.mark.parametrize(
    ("prefix", "key", "path"),
    [
        ("in/", "in/a/x.csv", "a/x.csv"),
        ("in", "in/test", "test"),
        ("data/train", "data/train-1.csv", "train-1.csv"),
        ("in/x.csv", "in/x.csv", "x.csv"),
        ("in", "in2/y", "in2/y"),
        ("", "a/b", "a/b"),
        ("a/b", "a/b/c/d", "c/d"),
    ],
)
def test_the_prefix_is_cut_as_the_service_does(prefix: str, key: str, path: str) -> None:
    assert relative_path(PREFIXED, S3Uri("b", prefix), key) == path


def test_a_manifest_keeps_the_whole_key() -> None:
    assert relative_path(LISTED, S3Uri("b", "lists/m"), "some/prefix/a.csv") == "some/prefix/a.csv"


@given(st.text(st.sampled_from("a./\0é-"), min_size=1, max_size=12), st.sampled_from([0, 250]))
def test_what_is_seen_at_a_glance_to_be_well_is_well(text: str, more: int) -> None:
    path = text + "n" * more
    parts = path.split("/")
    is_well = not set(parts) & {"", ".", ".."} and "\0" not in path and all(len(part.encode()) < 256 for part in parts)
    if is_well:
        assert relative_path(LISTED, S3Uri("b", "m"), path) == path
    else:
        with pytest.raises(JobFailure):
            relative_path(LISTED, S3Uri("b", "m"), path)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("in/a//b", "has an illegal char sub-sequence '//' in it"),
        ("in//b", "has an illegal char sub-sequence '//' in it"),
        ("/in/b", "has an illegal char sub-sequence '//' in it"),
        ("in/../../etc/passwd", "'..'"),
        ("in/./b", "'.'"),
        ("in/..", "'..'"),
        ("in/a\0b", "null byte"),
        ("in/" + "é" * 128, "255 bytes"),
        ("in/folder/", "ends in '/' but has content"),
        ("in/", "ends in '/' but has content"),
    ],
)
def test_a_key_that_can_be_no_path_fails_with_its_name(key: str, says: str) -> None:
    for channel, prefix in ((PREFIXED, "in/"), (LISTED, "lists/m")):
        with pytest.raises(JobFailure) as failure:
            relative_path(channel, S3Uri("b", prefix), key)
        assert failure.value.failure.fault == "client"
        assert says in failure.value.failure.message
        assert "s3://b/" in failure.value.failure.message


_KEY = st.lists(st.sampled_from(["a", "in", "..", ".", "", "b.csv", "\0", "x" * 256, "é"]), min_size=1, max_size=6).map(
    "/".join
)


@given(prefix=st.integers(0, 12), key=_KEY | st.text(max_size=40), channel=st.sampled_from([PREFIXED, LISTED]))
def test_no_key_leads_outside_the_channel(prefix: int, key: str, channel: Channel) -> None:
    try:
        path = relative_path(channel, S3Uri("b", key[:prefix]), key)
    except JobFailure:
        return
    parts = path.split("/")
    assert path
    assert not PurePosixPath(path).is_absolute()
    assert not {"", ".", ".."} & set(parts)
    assert all(len(part.encode(errors="replace")) <= 255 and "\0" not in part for part in parts)


@given(count=st.integers(1, 12), objects=st.integers(0, 60))
def test_shards_are_disjoint_complete_and_dealt_out_in_turn(count: int, objects: int) -> None:
    hosts = [Share(number=number, count=count) for number in range(1, count + 1)]
    shards = [[i for i in range(objects) if is_mine(i, "ShardedByS3Key", host)] for host in hosts]
    assert sorted(index for shard in shards for index in shard) == list(range(objects))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert all(index % count == host.number - 1 for host, shard in zip(hosts, shards, strict=True) for index in shard)
    assert all(is_mine(index, "FullyReplicated", host) for index in range(objects) for host in hosts)


def test_the_split_seen_in_a_real_job() -> None:
    names = sorted(f"algo-1/part_{number}" for number in range(1, 11))
    mine = [name for index, name in enumerate(names) if is_mine(index, "ShardedByS3Key", Share(number=1, count=2))]
    assert [name.rpartition("_")[2] for name in mine] == ["1", "2", "4", "6", "8"]
