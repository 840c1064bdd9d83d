"""The S3 client interface, on the embedded store's files and over HTTP on a real endpoint."""

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagestone.s3.client import (
    S3,
    AccessDenied,
    NoSuchBucket,
    NoSuchKey,
    ObjectInfo,
    S3Failure,
    SourceObject,
    level_key,
    write_all,
)
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.listing import BadS3Input, objects_of
from sagestone.s3.remote import RemoteS3
from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.uri import S3Uri
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face

BUCKET = "data"
ODD_KEYS = [
    "/leading",
    "a/../b",
    "a//b",
    "..",
    ".",
    "dir/",
    "p",
    "p/q",
    "x y+z%20",
    "tab\there",
    "line\nend",
    "ünï/çødé",
    "emoji/\U0001f600",
    "\uffee",
    "quo\"te'&<>",
    "query?a=b#c",
    "s" * 300,
    "long/" + "k" * 1019,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An S3 with one empty bucket."""

    s3: S3

    def put(self, key: str, data: bytes = b"") -> S3Uri:
        uri = S3Uri(BUCKET, key)
        write_all(self.s3, uri, [data])
        return uri


@pytest.fixture(params=["embedded", "remote", "embedded encrypted", "remote encrypted"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with running_face(tmp_path / "store") as face:
        face.storage.buckets.create(BUCKET, REGION, 0.0)
        if "encrypted" in request.param:  # as S3 does it itself, with the ETags of plain objects
            face.storage.buckets.set_encryption(BUCKET, WantedEncryption(algorithm="AES256"))
        if "embedded" in request.param:
            yield Place(s3=EmbeddedS3(tmp_path / "store", vault=face.vault))
        else:
            yield Place(s3=RemoteS3(face.endpoint, REGION, ACCESS_KEY, SECRET_KEY))


class TestS3:
    def test_list_is_in_byte_order_with_the_raw_prefix(self, place: Place) -> None:
        keys = ["a", "a/1", "a/1/2", "a0", "a_b", "b", "aé", "a\U0001f600", "a\uffee"]
        for key in keys:
            place.put(key, key.encode())
        listed = [info.key for info in place.s3.list(S3Uri(BUCKET, "a"))]
        assert listed == sorted((key for key in keys if key.startswith("a")), key=str.encode)
        assert [info.key for info in place.s3.list(S3Uri(BUCKET, "a/1"))] == ["a/1", "a/1/2"]
        assert list(place.s3.list(S3Uri(BUCKET, "zzz"))) == []

    def test_list_goes_over_pages(self, place: Place) -> None:
        for number in range(1003):
            place.put(f"n/{number:04}")
        assert [info.key for info in place.s3.list(S3Uri(BUCKET, "n/"))] == [f"n/{n:04}" for n in range(1003)]

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_every_key_is_kept_as_it_is(self, place: Place, key: str, tmp_path: Path) -> None:
        place.put("lead" if key.startswith("/") else "dir", b"another object")
        uri = place.put(key, b"of " + key.encode())
        assert key in [info.key for info in place.s3.list(S3Uri(BUCKET, ""))]
        with place.s3.read(uri) as pieces:
            assert b"".join(pieces) == b"of " + key.encode()
        assert (place.s3.head(uri).key, place.s3.head(uri).size) == (key, len(b"of " + key.encode()))
        assert place.s3.download(uri, tmp_path / "file") == len(b"of " + key.encode())
        place.s3.delete(uri)
        with pytest.raises(NoSuchKey):
            place.s3.head(uri)

    def test_a_level_folds_what_lies_deeper(self, place: Place) -> None:
        for key in ("d/", "d/a", "d/a-b", "d/a/x", "d/a/y/z", "d/a0", "d//", "d/é/", "dx"):
            place.put(key)
        items = list(place.s3.level(S3Uri(BUCKET, "d/")))
        assert [level_key(item) for item in items] == ["d/", "d//", "d/a", "d/a-b", "d/a/", "d/a0", "d/é/"]
        assert [isinstance(item, str) for item in items] == [False, True, False, False, True, False, True]
        assert [level_key(item) for item in place.s3.level(S3Uri(BUCKET, "d"))] == ["d/", "dx"]
        assert [info.key for info in place.s3.list(S3Uri(BUCKET, "d/a/"), page=1)] == ["d/a/x", "d/a/y/z"]

    def test_head_tells_size_etag_and_time(self, place: Place) -> None:
        uri = place.put("k", b"hello")
        info = place.s3.head(uri)
        assert info == ObjectInfo("k", 5, hashlib.md5(b"hello").hexdigest(), info.modified_at)
        assert info.modified_at > 1.6e9

    def test_read_streams_from_an_offset(self, place: Place) -> None:
        data = os.urandom(3 * 1024 * 1024 + 7)
        uri = place.put("big", data)
        for offset in (0, 1, len(data) - 1, len(data), len(data) + 5):
            with place.s3.read(uri, offset) as pieces:
                read = list(pieces)
            assert b"".join(read) == data[offset:]
            assert all(0 < len(piece) <= 2 * 1024 * 1024 for piece in read)

    def test_reading_is_not_disturbed_by_an_overwrite(self, place: Place) -> None:
        data = os.urandom(32 * 1024 * 1024)
        uri = place.put("big", data)
        with place.s3.read(uri) as pieces:
            first = next(pieces)
            place.put("big", b"new")
            rest = b"".join(pieces)
        assert first + rest == data
        with place.s3.read(uri) as pieces:
            assert b"".join(pieces) == b"new"

    def test_download_is_whole_and_no_link(self, place: Place, tmp_path: Path) -> None:
        uri = place.put("k", b"0123456789")
        target = tmp_path / "target"
        target.write_bytes(b"old")
        assert place.s3.download(uri, target) == 10
        assert target.stat().st_nlink == 1
        target.write_bytes(b"changed by a container")
        with place.s3.read(uri) as pieces:
            assert b"".join(pieces) == b"0123456789"
        empty = place.put("empty")
        assert place.s3.download(empty, tmp_path / "empty") == 0
        with pytest.raises(NoSuchKey):
            place.s3.download(S3Uri(BUCKET, "missing"), tmp_path / "missing")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "store", "target"]

    @pytest.mark.parametrize("size", [0, 5, 20 * 1024 * 1024])
    def test_an_upload_is_seen_at_commit_only(self, place: Place, size: int) -> None:
        uri, data = S3Uri(BUCKET, "up"), os.urandom(size)
        upload = place.s3.upload(uri, "text/csv")
        for start in range(0, size, 3_000_001):
            upload.write(memoryview(data)[start : start + 3_000_001])
        with pytest.raises(NoSuchKey):
            place.s3.head(uri)
        upload.commit()
        with place.s3.read(uri) as pieces:
            assert b"".join(pieces) == data

    def test_nothing_is_left_of_an_aborted_upload(self, place: Place, tmp_path: Path) -> None:
        upload = place.s3.upload(S3Uri(BUCKET, "up"))
        upload.write(bytes(9 * 1024 * 1024))
        upload.abort()
        upload.abort()
        assert list(place.s3.list(S3Uri(BUCKET, ""))) == []
        assert [path for path in (tmp_path / "store" / "blobs").rglob("*") if path.is_file()] == []

    def test_an_upload_that_fails_leaves_the_old_object(self, place: Place) -> None:
        uri = place.put("k", b"old")

        def pieces() -> Iterator[bytes]:
            yield b"new"
            raise RuntimeError("cut off")

        with pytest.raises(RuntimeError, match="cut off"):
            write_all(place.s3, uri, pieces())
        with place.s3.read(uri) as read:
            assert b"".join(read) == b"old"

    def test_what_is_missing_is_named(self, place: Place, tmp_path: Path) -> None:
        nowhere, nothing = S3Uri("no-such-bucket", "k"), S3Uri(BUCKET, "nothing")
        for call in (
            lambda uri: place.s3.head(uri),
            lambda uri: place.s3.download(uri, tmp_path / "x"),
            lambda uri: place.s3.read(uri).__enter__(),
        ):
            with pytest.raises(NoSuchKey, match="s3://data/nothing"):
                call(nothing)
            with pytest.raises(NoSuchBucket, match="s3://no-such-bucket/k"):
                call(nowhere)
        with pytest.raises(NoSuchBucket, match="s3://no-such-bucket/"):
            list(place.s3.list(nowhere))
        with pytest.raises(NoSuchBucket, match="s3://no-such-bucket/"):
            place.s3.upload(nowhere)
        place.s3.delete(nothing)

    def test_many_threads_at_once(self, place: Place) -> None:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in range(10):
                    uri = place.put(f"t/{number}/{turn}", bytes([number]) * 1000)
                    place.put("shared", bytes([number]) * 5000)
                    with place.s3.read(uri) as pieces:
                        assert b"".join(pieces) == bytes([number]) * 1000
                    with place.s3.read(S3Uri(BUCKET, "shared")) as pieces:
                        assert len(set(b"".join(pieces))) == 1
            except BaseException as failure:  # noqa: BLE001  # told by the main thread
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(list(place.s3.list(S3Uri(BUCKET, "t/")))) == 60

    def test_objects_of_a_prefix_and_of_a_manifest(self, place: Place) -> None:
        for key in ("in/b", "in/a", "in/sub/c", "inside"):
            place.put(key, key.encode())
        expected = [
            SourceObject(S3Uri(BUCKET, key), len(key), hashlib.md5(key.encode()).hexdigest())
            for key in ("in/a", "in/b", "in/sub/c")
        ]
        assert list(objects_of(place.s3, "S3Prefix", "s3://data/in/")) == expected
        place.put("manifest", b'[{"prefix": "s3://data/in/"}, "b", "sub/c", "a"]')
        named = list(objects_of(place.s3, "ManifestFile", "s3://data/manifest"))
        assert named == [expected[1], expected[2], expected[0]]
        place.put("bad", b'[{"prefix": "s3://data/in/"}, "b", "gone"]')
        with pytest.raises(BadS3Input, match="s3://data/in/gone"):
            list(objects_of(place.s3, "ManifestFile", "s3://data/bad"))
        with pytest.raises(BadS3Input, match="s3://data/no-manifest"):
            list(objects_of(place.s3, "ManifestFile", "s3://data/no-manifest"))
        for prefix in ("s3://data/nothing/here", "s3://no-such-bucket/x"):
            with pytest.raises(BadS3Input, match=f'No S3 objects found under S3 URL "{prefix}"'):
                list(objects_of(place.s3, "S3Prefix", prefix))


class TestRemoteS3:
    """What only a remote endpoint can do to a client."""

    def test_wrong_keys_are_refused(self, tmp_path: Path) -> None:
        with running_face(tmp_path / "store") as face:
            face.storage.buckets.create(BUCKET, REGION, 0.0)
            place = Place(s3=RemoteS3(face.endpoint, REGION, ACCESS_KEY, "wrong"))
            uri = S3Uri(BUCKET, "k")
            for call in (
                place.s3.head,
                lambda uri: list(place.s3.list(uri)),
                lambda uri: place.s3.read(uri).__enter__(),
            ):
                with pytest.raises(AccessDenied, match="s3://data/k"):
                    call(uri)

    def test_nobody_listens(self) -> None:
        with pytest.raises(S3Failure, match="s3://data/k"):
            RemoteS3("http://127.0.0.1:9", REGION, ACCESS_KEY, SECRET_KEY).head(S3Uri(BUCKET, "k"))
