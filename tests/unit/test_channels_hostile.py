"""Keys that no file system expects: each becomes exactly one file, or fails the job with its name in the sentence."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.paths import relative_path
from sagestone.domain.failure import JobFailure
from sagestone.s3.uri import S3Uri
from tests.unit.test_channels_file import CHANNEL, fetched, stored

LONG = "/".join("k" * 250 for _ in range(3)) + "/" + "k" * 240  # 1,000 characters with the channel's prefix


@pytest.mark.parametrize(
    "name",
    [
        unicodedata.normalize("NFC", "ü"),
        unicodedata.normalize("NFD", "ü"),
        "\U0001f600/\uffee",
        "line\nend",
        "tab\tand \x01",
        "back\\slash",
        ".hidden",
        "...",
        "-rf",
        "*",
        " ",
        "a.part",
        LONG,
        "d/" * 400 + "deep",
    ],
)
def test_what_can_be_a_name_is_kept_byte_for_byte(tmp_path: Path, name: str) -> None:
    s3 = stored(tmp_path, {f"in/{name}": b"it", "in/other": b"2"})
    assert fetched(s3, tmp_path)[1] == {name: b"it", "other": b"2"}


def test_the_two_writings_of_one_letter_are_two_files(tmp_path: Path) -> None:
    one, two = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    s3 = stored(tmp_path, {f"in/{one}": b"1", f"in/{two}": b"2"})
    assert fetched(s3, tmp_path)[1] == {one: b"1", two: b"2"}


@pytest.mark.parametrize(
    "key",
    [
        "in//a",
        "in/a//b",
        "in/..",
        "in/../x",
        "in/a/../../../x",
        "in/.",
        "in/a/./b",
        "in/d/",
        "in/" + "n" * 256,
        "in/" + "é" * 128,
        "in/a\0b",
    ],
)
def test_what_cannot_is_refused_with_its_name(tmp_path: Path, key: str) -> None:
    s3 = stored(tmp_path, {key: b"it", "in/fine": b""})
    with pytest.raises(JobFailure) as told:
        fetched(s3, tmp_path)
    assert told.value.failure.reason.startswith("ClientError: Data download failed:Failed to download data. S3 key: ")
    assert (
        repr(f"s3://data/{key}")[1:-1] in told.value.failure.message or f"s3://data/{key}" in told.value.failure.message
    )
    assert {path.name for path in tmp_path.iterdir()} <= {"s3", "host-1", "journal-1", "sidecar"}


@pytest.mark.parametrize("keys", [("in/a", "in/a/b"), ("in/a/b/c", "in/a/b"), ("in/a", "in/a/b/c/d")])
def test_a_name_that_is_file_and_directory_is_refused(tmp_path: Path, keys: tuple[str, str]) -> None:
    s3 = stored(tmp_path, dict.fromkeys(keys, b"it"))
    with pytest.raises(JobFailure, match=r"another object of channel train is a file or needs a directory"):
        fetched(s3, tmp_path)


def test_folder_markers_and_empty_objects(tmp_path: Path) -> None:
    s3 = stored(tmp_path, {"in/": b"", "in/d/": b"", "in/d/e/": b"", "in/zero": b"", "in/d": b""})
    assert fetched(s3, tmp_path) == (2, {"zero": b"", "d": b""})


def test_no_link_is_followed_on_the_way(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "channel"
    outside.mkdir()
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "made")
    place = ChannelDirectory(root)
    for path in ("link/x", "link/y/z"):
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            place.create(path)
    with pytest.raises(FileExistsError):
        place.create("file")
    place.close()
    assert list(outside.iterdir()) == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.text(st.sampled_from("./\\ab\0\n é"), max_size=12))
def test_no_key_leads_out_of_the_channel(tmp_path: Path, rest: str) -> None:
    """Whatever follows the prefix: a path below the channel's directory, or a refusal."""
    try:
        path = relative_path(CHANNEL, S3Uri("data", "in/"), f"in/{rest}")
    except JobFailure:
        return
    root = tmp_path / "channel"
    assert (root / path).resolve().is_relative_to(root.resolve())
    assert (root / path).resolve() != root.resolve()
    assert path == rest
