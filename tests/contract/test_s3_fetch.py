"""Fetching and linking exactly the object that was listed, on the embedded store's files and over HTTP."""

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagestone.s3.client import S3, NoSuchKey, ObjectChanged, SourceObject, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.remote import RemoteS3
from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.uri import S3Uri
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face

BUCKET = "data"


@pytest.fixture(params=["embedded", "remote", "embedded encrypted", "remote encrypted"])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    with running_face(tmp_path / "store") as face:
        face.storage.buckets.create(BUCKET, REGION, 0.0)
        if "encrypted" in request.param:
            face.storage.buckets.set_encryption(BUCKET, WantedEncryption(algorithm="aws:kms"))
        if "embedded" in request.param:
            yield EmbeddedS3(tmp_path / "store", vault=face.vault)
        else:
            yield RemoteS3(face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)


def is_encrypted(found: SourceObject) -> bool:
    """Whether the file of a listed object of the embedded store is encrypted."""
    return " " in found.place


def _listed(s3: S3, key: str, data: bytes) -> SourceObject:
    write_all(s3, S3Uri(BUCKET, key), [data])
    (info,) = s3.list(S3Uri(BUCKET, key))
    return SourceObject(S3Uri(BUCKET, key), info.size, info.etag, info.place)


@pytest.mark.parametrize("key", ["a/b", "/odd//key"])
def test_ranges_go_to_their_place_in_any_order(s3: S3, tmp_path: Path, key: str) -> None:
    data = os.urandom(5 * 1024 * 1024 + 3)
    found = _listed(s3, key, data)
    cuts = [0, 1, 1_000_000, len(data) - 1, len(data)]
    with (tmp_path / "file").open("xb") as file:
        for start, stop in reversed(list(itertools.pairwise(cuts))):
            s3.fetch(found, file.fileno(), start, stop)
        s3.fetch(found, file.fileno(), 7, 7)
    assert (tmp_path / "file").read_bytes() == data
    with (tmp_path / "whole").open("xb") as file:
        s3.fetch(found, file.fileno(), 0, found.size)
    assert (tmp_path / "whole").read_bytes() == data


def test_another_object_than_the_listed_one_is_never_fetched(s3: S3, tmp_path: Path) -> None:
    found = _listed(s3, "k", b"as it was listed")
    with (tmp_path / "file").open("xb") as file:
        write_all(s3, found.uri, [b"of the same size"])
        with pytest.raises(ObjectChanged, match="s3://data/k: the object was overwritten"):
            s3.fetch(found, file.fileno(), 0, found.size)
        s3.delete(found.uri)
        with pytest.raises(NoSuchKey, match="s3://data/k"):
            s3.fetch(found, file.fileno(), 3, found.size)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_link_keeps_the_bytes_that_were_listed(s3: S3, tmp_path: Path) -> None:
    found = _listed(s3, "k", b"as it was listed")
    (tmp_path / "links").mkdir()
    directory = os.open(tmp_path / "links", os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not s3.link(found, "one", directory):
            assert isinstance(s3, RemoteS3) or is_encrypted(found)
            assert list((tmp_path / "links").iterdir()) == []
            return
        write_all(s3, found.uri, [b"new"])
        with pytest.raises(ObjectChanged):
            s3.link(found, "two", directory)
        s3.delete(found.uri)
        with pytest.raises(NoSuchKey):
            s3.link(found, "two", directory)
    finally:
        os.close(directory)
    assert [path.name for path in (tmp_path / "links").iterdir()] == ["one"]
    assert (tmp_path / "links" / "one").read_bytes() == b"as it was listed"
    assert (tmp_path / "links" / "one").stat().st_mode & 0o777 == 0o444


def test_an_object_is_poured_into_a_pipe_and_read_in_pieces(s3: S3, tmp_path: Path) -> None:
    data = os.urandom(5 * 1024 * 1024 + 3)
    found = _listed(s3, "a/b c+ä", data)
    assert b"".join(s3.pieces(found, 7, found.size - 7)) == data[7:-7]
    assert list(s3.pieces(found, 5, 5)) == []
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor() as reader:
        read = reader.submit(fifo.read_bytes)
        with fifo.open("wb") as pipe:
            s3.pour(found, pipe.fileno())
        assert read.result() == data
        gone = reader.submit(lambda: fifo.open("rb").close())
        with fifo.open("wb", buffering=0) as pipe:
            gone.result()
            with pytest.raises(BrokenPipeError):
                s3.pour(found, pipe.fileno())


def test_another_object_is_never_poured(s3: S3) -> None:
    found = _listed(s3, "k", b"as it was listed")
    write_all(s3, found.uri, [b"of the same size"])
    source, pipe = os.pipe()
    try:
        with pytest.raises(ObjectChanged, match="s3://data/k: the object was overwritten"):
            s3.pour(found, pipe)
        with pytest.raises(ObjectChanged):
            list(s3.pieces(found, 0, found.size))
        if s3.has_files and not is_encrypted(found):
            with s3.opener() as open_object, pytest.raises(ObjectChanged):
                open_object(found)
            with pytest.raises(ObjectChanged):
                s3.open(found)
    finally:
        os.close(pipe)
    assert os.read(source, 100) == b""
    os.close(source)
