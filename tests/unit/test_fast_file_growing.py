"""FastFile while its channel is still being listed: each file, name and directory is there without the rest."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.channels.fast_file.asking import Asking
from sagestone.channels.fast_file.growing import GrowingFiles
from sagestone.channels.fast_file.listing import FastFileListing, promised_files
from sagestone.channels.fuse.files import Refused
from sagestone.channels.fuse.protocol import ROOT
from sagestone.channels.fuse.tree import ObjectTree
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import NoSuchBucket, S3Unreachable
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.unit.test_channels_file import ALONE, CHANNEL, stored

FAST = replace(CHANNEL, input_mode="FastFile")
_PATIENCE_SECONDS = 30.0


class Held:
    """The channel's listing stands still after so many objects, until it is let go."""

    def __init__(self, s3: EmbeddedS3, channel: Channel, share: Share, stands_after: int) -> None:
        self.gate, self.standing = threading.Event(), threading.Event()
        self.listing = FastFileListing(s3, channel, share)
        self.files = GrowingFiles(channel, self.listing, ObjectTree(0), Asking(s3, channel, share))
        self.files.promise(promised_files(s3, channel, share))
        self._stands_after = stands_after
        self.fails: Exception | None = None
        source = self.listing._source

        def held() -> Iterator[object]:
            for number, found in enumerate(source):
                if number == stands_after:
                    self._stand()
                yield found
            self._stand()

        self.listing._source = held()  # type: ignore[assignment]
        self._thread = threading.Thread(target=self.files.grow, daemon=True)
        self._thread.start()
        assert self.standing.wait(_PATIENCE_SECONDS)

    def _stand(self) -> None:
        self.standing.set()
        assert self.gate.wait(_PATIENCE_SECONDS)
        if self.fails is not None:
            raise self.fails

    def finish(self) -> None:
        self.gate.set()
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def lookup(self, path: str) -> int | None:
        """The node of a path, looked up name by name; None where there is none."""
        node: int | None = ROOT
        for part in path.split("/"):
            if node is None:
                return None
            node = self.files.child(node, part.encode(), lambda: False)
        return node

    def tree(self, node: int = ROOT, above: str = "") -> dict[str, int]:
        """All files and their sizes, as a walk through the directories finds them."""
        found: dict[str, int] = {}
        for name, below in self.names(node):
            attributes = self.files.attributes(below)
            path = above + name
            assert path not in found
            found |= self.tree(below, f"{path}/") if attributes.is_directory else {path: attributes.size}
        return found

    def names(self, node: int = ROOT) -> list[tuple[str, int]]:
        entries: list[tuple[bytes, int]] = []
        while more := self.files.entries(node, len(entries), lambda: False):
            entries += more
        assert [name for name, _ in entries[:2]] == [b".", b".."]
        return [(name.decode(), below) for name, below in entries[2:]]


@contextmanager
def held(
    directory: Path, objects: Mapping[str, bytes], channel: Channel = FAST, share: Share = ALONE, stands_after: int = 1
) -> Iterator[Held]:
    growing = Held(stored(directory, objects), channel, share, stands_after)
    try:
        yield growing
    finally:
        growing.finish()


OBJECTS = {
    "in/": b"",
    "in/a": b"1",
    "in/d/": b"",
    "in/d/deep/er/x": b"22",
    "in/d.txt": b"333",
    "in/empty/": b"",
    "in/empty/er/": b"",
    "in/z": b"4444",
    "in/é/ü": b"",
    "other": b"no",
}
FILES = {"a": 1, "d/deep/er/x": 2, "d.txt": 3, "z": 4, "é/ü": 0}


@pytest.mark.parametrize("uri", ["s3://data/in/", "s3://data/in"])
def test_everything_is_there_while_the_listing_stands(tmp_path: Path, uri: str) -> None:
    with held(tmp_path, OBJECTS, replace(FAST, s3_uri=uri)) as growing:
        assert growing.tree() == FILES
        again = {name: growing.lookup(name) for name in FILES}
        assert None not in again.values()
        assert [growing.lookup(name) for name in ("nothing", "d/x", "empty", "a/b", "d/deep/er/y")] == [None] * 5
        assert not growing.files.is_final
        growing.finish()
        assert growing.files.failure is None
        assert (growing.files.is_final, growing.tree()) == (True, FILES)
        assert {name: growing.lookup(name) for name in FILES} == again


def test_a_file_that_was_asked_for_is_listed_once(tmp_path: Path) -> None:
    objects = {f"in/d/{number:03}": b"x" for number in range(30)}
    with held(tmp_path, objects) as growing:
        asked = growing.lookup("d/020")
        assert asked is not None
        growing.finish()
        names = growing.names(growing.lookup("d") or 0)
        assert [name for name, _ in names] == [f"{number:03}" for number in range(30)]
        assert dict(names)["020"] == asked


NAMES = st.sampled_from(["a", "b", "a.b", "ab", "é", "~"])
KEYS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.sets(KEYS, min_size=1, max_size=8), markers=st.sets(KEYS, max_size=3), data=st.data())
def test_what_is_asked_in_any_order_is_what_is_listed(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], markers: set[str], data: st.DataObject
) -> None:
    plain = {path for path in files if not any(other.startswith(f"{path}/") for other in files)}
    expected = {path: len(path) for path in plain}
    objects = {f"in/{path}": b"x" * size for path, size in expected.items()}
    objects |= {f"in/{path}/": b"" for path in markers}
    with held(tmp_path_factory.mktemp("s3"), objects, stands_after=data.draw(st.integers(0, len(plain)))) as growing:
        for path in data.draw(st.lists(KEYS, max_size=6)):
            node = growing.lookup(path)
            is_directory = any(each.startswith(f"{path}/") for each in expected)
            assert (node is not None) == (path in expected or is_directory), path
        assert growing.tree() == expected
        growing.finish()
        assert growing.files.failure is None
        assert growing.tree() == expected


def test_a_shard_waits_until_the_listing_has_passed(tmp_path: Path) -> None:
    """Which host has an object shows only by how many come before it."""
    sharded = replace(FAST, distribution="ShardedByS3Key")
    objects = {f"in/{name}": name.encode() for name in "abcdef"}
    with held(tmp_path, objects, sharded, Share(number=2, count=2), stands_after=4) as growing:
        assert growing.lookup("b") is not None
        assert growing.lookup("a") is None  # of the other host; the listing is past it
        found: list[int | None] = []
        waiting = threading.Thread(target=lambda: found.append(growing.lookup("f")))
        waiting.start()
        waiting.join(0.1)
        assert found == []
        growing.finish()
        waiting.join(_PATIENCE_SECONDS)
        assert found == [growing.lookup("f")]
        assert found != [None]
        assert [name for name, _ in growing.names()] == ["b", "d", "f"]


def test_whoever_gives_up_does_not_wait(tmp_path: Path) -> None:
    sharded = replace(FAST, distribution="ShardedByS3Key")
    with held(tmp_path, {"in/a": b"", "in/b": b""}, sharded, Share(number=1, count=2)) as growing:
        with pytest.raises(Refused, match="Interrupted"):
            growing.files.child(ROOT, b"z", lambda: True)
        with pytest.raises(Refused, match="Interrupted"):
            growing.files.entries(ROOT, 3, lambda: True)


@pytest.mark.parametrize("share", [ALONE, Share(number=1, count=2)])
def test_a_shuffled_channel_has_the_files_of_its_shard(tmp_path: Path, share: Share) -> None:
    shuffled = replace(FAST, distribution="ShardedByS3Key", shuffle_seed=7)
    objects = {f"in/{name}": b"" for name in "abcdef"}
    with held(tmp_path, objects, shuffled, share, stands_after=3) as growing:
        if share == ALONE:
            assert growing.lookup("f") is not None
        growing.finish()
        assert len(growing.tree()) == 6 // share.count


def test_the_names_of_a_manifest_are_there_before_its_objects_were_looked_at(tmp_path: Path) -> None:
    manifest = replace(FAST, s3_data_type="ManifestFile", s3_uri="s3://data/m", distribution="ShardedByS3Key")
    objects = {"in/a": b"1", "in/b": b"22", "in/d/c": b"333", "m": b'[{"prefix": "s3://data/in/"}, "d/c", "a", "b"]'}
    with held(tmp_path, objects, manifest, Share(number=1, count=2), stands_after=0) as growing:
        assert [name for name, _ in growing.names()] == ["in"]
        assert growing.lookup("in/a") is None
        assert growing.tree() == {"in/d/c": 3, "in/b": 2}
        growing.finish()
        assert growing.tree() == {"in/d/c": 3, "in/b": 2}


def test_a_manifest_that_names_folder_markers_is_looked_through_first(tmp_path: Path) -> None:
    manifest = replace(FAST, s3_data_type="ManifestFile", s3_uri="s3://data/m", distribution="ShardedByS3Key")
    objects = {"in/": b"", "in/a": b"1", "in/b": b"2", "m": b'[{"prefix": "s3://data/in/"}, "", "a", "b"]'}
    with held(tmp_path, objects, manifest, Share(number=1, count=2), stands_after=5) as growing:
        growing.finish()
        assert growing.tree() == {"in/a": 1}


def test_a_listing_that_fails_leaves_nobody_waiting_and_says_why(tmp_path: Path) -> None:
    sharded = replace(FAST, distribution="ShardedByS3Key")
    with held(tmp_path, {"in/a": b"", "in/b": b"", "in/c": b""}, sharded, Share(number=1, count=2)) as growing:
        growing.fails = JobFailure("client", "s3://data/in/: gone")
        growing.finish()
        assert growing.files.failure is growing.fails
        assert growing.lookup("a") is not None
        with pytest.raises(Refused, match="Input/output error"):
            growing.lookup("c")
        with pytest.raises(Refused, match="Input/output error"):
            growing.names()


def test_a_question_that_fails_is_told(tmp_path: Path) -> None:
    with held(tmp_path, {"in/a": b"", "in/b": b""}) as growing:
        storage = open_storage(tmp_path / "s3")
        s3 = EmbeddedS3(tmp_path / "s3")
        for key in ("in/a", "in/b"):
            s3.delete(S3Uri("data", key))
        storage.buckets.delete("data")
        storage.close()
        with pytest.raises(NoSuchBucket, match="s3://data/in/b"):
            growing.lookup("b")


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (("in/a", "in/b", "in/b/c"), "in/b/c"),
        (("in/a", "in/b/../c"), "in/b/../c"),
        (("in/a", "in/b//c"), "in/b//c"),
        (("in/a", "in/" + "n" * 256), "n" * 256),
    ],
)
def test_a_bad_key_that_comes_late_fails_the_channel(tmp_path: Path, keys: tuple[str, ...], named: str) -> None:
    with held(tmp_path, dict.fromkeys(keys, b"x")) as growing:
        growing.tree()  # whatever is shown until then, it does not go round in circles
        assert [growing.lookup(name) for name in ("..", "n" * 256)] == [None, None]
        growing.finish()
        assert growing.files.failure is not None
        assert named in growing.files.failure.failure.message


def test_a_store_that_is_away_while_it_is_listed_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    with held(tmp_path, {"in/a": b"", "in/b": b""}) as growing:
        growing.fails = S3Unreachable("s3://data/in/: nobody answers")
        begun = time.monotonic()
        growing.finish()
        assert growing.files.failure is not None
        assert growing.files.failure.failure.fault == "internal"
        assert "s3://data/in/" in growing.files.failure.failure.message
        assert time.monotonic() - begun < _PATIENCE_SECONDS
