"""Orders and shards of a channel: complete, disjoint, decided by the seed, another one in every epoch."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.channels.catalogue import Catalogue
from sagestone.channels.pipe.items import PipeItems
from sagestone.channels.shuffle import epoch_order
from sagestone.channels.source import channel_objects
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share
from sagestone.s3.client import SourceObject, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri

CHANNEL = Channel(
    name="train",
    s3_data_type="S3Prefix",
    s3_uri="s3://data/in/",
    distribution="ShardedByS3Key",
    input_mode="Pipe",
)
SEEDS = st.integers(-(2**63), 2**63 - 1)


@given(st.integers(0, 300), SEEDS, st.integers(0, 1000))
def test_a_shuffle_is_a_permutation_that_seed_and_epoch_decide(count: int, seed: int, epoch: int) -> None:
    order = list(epoch_order(count, seed, epoch))
    assert sorted(order) == list(range(count))
    assert order == list(epoch_order(count, seed, epoch))


@given(SEEDS, st.integers(0, 1000))
def test_epochs_and_seeds_have_orders_of_their_own(seed: int, epoch: int) -> None:
    orders = [
        tuple(epoch_order(50, *which)) for which in ((seed, epoch), (seed, epoch + 1), (seed ^ 1, epoch), (None, epoch))
    ]
    assert len(set(orders)) == 4


def test_an_order_stays_what_it_is_in_the_next_version() -> None:
    assert list(epoch_order(10, 7, 0)) == [0, 5, 4, 6, 9, 3, 2, 8, 7, 1]
    assert list(epoch_order(10, 7, 1)) == [5, 4, 0, 6, 2, 3, 8, 7, 1, 9]


@given(st.integers(0, 60), st.integers(1, 9), st.one_of(st.none(), SEEDS), st.integers(0, 3))
def test_shards_are_disjoint_and_complete_in_every_epoch(count: int, hosts: int, seed: int | None, epoch: int) -> None:
    channel = replace(CHANNEL, shuffle_seed=seed)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "list"
        catalogue = Catalogue.write(path, (b"line %d" % number for number in range(count)))
        shards = [
            list(PipeItems(channel, Share(number=number, count=hosts), catalogue).places(epoch))
            for number in range(1, hosts + 1)
        ]
        catalogue.close()
    assert sorted(place for shard in shards for place in shard) == list(range(count))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    if seed is None:
        assert shards == [list(range(number, count, hosts)) for number in range(hosts)]


@given(st.lists(st.binary(max_size=200).map(lambda line: line.replace(b"\n", b"")), max_size=600), st.randoms())
def test_a_catalogue_gives_its_lines_in_any_order_also_to_the_next_agent(lines: list[bytes], random: object) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "list"
        written = Catalogue.write(path, lines)
        again = Catalogue(path)
        order = list(range(len(lines)))
        random.shuffle(order)  # type: ignore[attr-defined]
        for catalogue in (written, again):
            assert len(catalogue) == len(lines)
            assert list(catalogue.lines(range(len(lines)))) == lines
            assert list(catalogue.lines(order)) == [lines[place] for place in order]
            for some in (range(len(lines)), range(1, len(lines), 3), order):
                assert b"".join(catalogue.blocks(some)) == b"".join(lines[place] + b"\n" for place in some)
            catalogue.close()


def test_who_reads_a_catalogue_that_is_closed_is_told_so(tmp_path: Path) -> None:
    """A thread that reads ahead is not waited for: it must not read what has the file's number then."""
    catalogue = Catalogue.write(tmp_path / "list", [b"%d" % number for number in range(10_000)])
    reading = [catalogue.lines(range(9_999, -1, -1)), catalogue.blocks(range(10_000))]
    for each in reading:
        next(each)
    catalogue.close()
    catalogue.close()
    for each in reading:
        with pytest.raises(ValueError, match="closed"):
            list(each)


@pytest.fixture
def s3(tmp_path: Path) -> EmbeddedS3:
    storage = open_storage(tmp_path / "s3")
    storage.buckets.create("data", "us-east-1", time.time())
    storage.close()
    s3 = EmbeddedS3(tmp_path / "s3")
    for key in ("in/", "in/b", "in/a\nline", "in/ä", "in/c/d"):
        write_all(s3, S3Uri("data", key), [key.encode()] if key != "in/" else [])
    manifest = b'[{"prefix": "s3://data/in/"}, "c/d", "b", "c/d"]'
    write_all(s3, S3Uri("data", "manifest"), [manifest])
    return s3


def _keys(s3: EmbeddedS3, channel: Channel, directory: Path, epoch: int = 0) -> list[str]:
    items = PipeItems.list(s3, channel, Share(number=1, count=1), directory / "list", lambda: None)
    found = list(items.epoch(epoch))
    items.close()
    assert all(isinstance(item, SourceObject) for item in found)
    return [item.uri.key for item in found if isinstance(item, SourceObject)]


def test_a_prefix_is_sent_in_key_order_without_folder_markers(s3: EmbeddedS3, tmp_path: Path) -> None:
    assert _keys(s3, CHANNEL, tmp_path) == ["in/a\nline", "in/b", "in/c/d", "in/ä"]


def test_a_manifest_is_sent_as_it_stands_and_a_file_is_there_once(s3: EmbeddedS3, tmp_path: Path) -> None:
    channel = replace(CHANNEL, s3_data_type="ManifestFile", s3_uri="s3://data/manifest")
    assert _keys(s3, channel, tmp_path) == ["in/c/d", "in/b", "in/c/d"]
    files = channel_objects(s3, channel, Share(number=1, count=1))
    assert [found.uri.key for found in files] == ["in/c/d", "in/b"]


def test_the_seed_decides_the_shards_of_file_mode_as_those_of_epoch_0(s3: EmbeddedS3, tmp_path: Path) -> None:
    channel = replace(CHANNEL, shuffle_seed=3)
    files = [found.uri.key for found in channel_objects(s3, channel, Share(number=1, count=1)) if found.mine]
    assert files == _keys(s3, channel, tmp_path)
    assert files != sorted(files)
    assert sorted(_keys(s3, channel, tmp_path, epoch=1)) == sorted(files)
