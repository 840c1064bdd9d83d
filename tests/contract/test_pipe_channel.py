"""A channel in Pipe mode, read by the test itself: from the embedded store's files and from an endpoint."""

import gzip
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.channels.pipe.channel import PipeChannel, PipePlaces
from sagestone.channels.pipe.remote import Fetchers
from sagestone.channels.recordio import MAGIC
from sagestone.channels.shuffle import epoch_order
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.remote import RemoteS3
from sagestone.s3.storage.documents import WantedEncryption
from sagestone.s3.uri import S3Uri
from tests.breaking_proxy import BreakingProxy
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, RunningFace, running_face
from tests.unit.test_channels_recordio import read_records

MEBIBYTE = 1024 * 1024
ALONE = Share(number=1, count=1)
#: Sizes around everything that is treated differently: spliced or read, grouped or alone, one range or several.
SIZES = [0, 1, 4095, 4096, 65_536, 65_537, 0, 3, 4 * MEBIBYTE, 4 * MEBIBYTE + 1, 9 * MEBIBYTE, *[100] * 200]


@pytest.fixture
def face(tmp_path: Path) -> Iterator[RunningFace]:
    with running_face(tmp_path / "store") as face:
        face.storage.buckets.create("data", REGION, 0.0)
        yield face


@pytest.fixture(params=["embedded", "encrypted", "remote"])
def s3(request: pytest.FixtureRequest, face: RunningFace, tmp_path: Path) -> S3:
    if request.param == "encrypted":
        face.storage.buckets.set_encryption("data", WantedEncryption(algorithm="aws:kms"))
    return _remote(face.port) if request.param == "remote" else EmbeddedS3(tmp_path / "store", vault=face.vault)


def _remote(port: int) -> RemoteS3:
    return RemoteS3(f"http://127.0.0.1:{port}", REGION, ACCESS_KEY, SECRET_KEY)


class Reading:
    """A started channel, and its FIFOs as a program sees them."""

    def __init__(self, s3: S3, directory: Path, channels: int = 1, **fields: Any) -> None:
        source = {"s3_data_type": "S3Prefix", "s3_uri": "s3://data/in/", "distribution": "FullyReplicated"}
        channel = Channel(name="train", **{**source, "input_mode": "Pipe", **fields})
        self._data = directory / "opt_ml" / "input" / "data"
        self._data.mkdir(parents=True)
        places = PipePlaces(opt_ml=directory / "opt_ml", scratch=directory / "scratch", spools=directory / "scratch")
        self.part = PipeChannel(s3, channel, ALONE, places, Fetchers(channels))
        self.count = self.part.start(lambda: None)

    def epoch(self, number: int) -> bytes:
        with self.open(number) as fifo:
            return bytes(fifo.read())

    def open(self, number: int) -> Any:
        path = self._data / f"train_{number}"
        _await(path.exists)
        return path.open("rb")

    def fail(self) -> str:
        """Read until the channel tells its failure."""
        with self.open(0) as fifo:
            reader = threading.Thread(target=fifo.read, daemon=True)
            reader.start()
            _await(lambda: self.part.failure() is not None)
            assert reader.is_alive()  # the data were not said to end
            self.part.stop()
            reader.join(10)
            assert not reader.is_alive()
        failure = self.part.failure()
        assert failure is not None
        return failure.reason


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _put(s3: S3, objects: list[bytes], prefix: str = "in/") -> list[bytes]:
    for number, content in enumerate(objects):
        write_all(s3, S3Uri("data", f"{prefix}{number:04}"), [content])
    return objects


@pytest.fixture
def objects(s3: S3) -> list[bytes]:
    return _put(s3, [random.Random(size).randbytes(size) for size in SIZES])


def test_all_objects_in_order_in_every_epoch(s3: S3, objects: list[bytes], tmp_path: Path) -> None:
    reading = Reading(s3, tmp_path)
    assert reading.count == len(objects)
    whole = b"".join(objects)
    assert reading.epoch(0) == whole
    with reading.open(1) as fifo:
        assert fifo.read(5000) == whole[:5000]
    assert reading.epoch(2) == whole
    reading.part.stop()
    assert reading.part.failure() is None


@pytest.mark.parametrize("channels", [1, 20])
def test_objects_become_records_in_every_epoch(s3: S3, objects: list[bytes], tmp_path: Path, channels: int) -> None:
    split = _put(s3, [content[:n] + MAGIC * 2 + content for n, content in enumerate(objects[:11])], "in/split")
    reading = Reading(s3, tmp_path, channels, record_wrapper="RecordIO")
    for epoch in range(3):  # what the first one has learnt of the objects is used in the next
        assert list(read_records(reading.epoch(epoch))) == [*objects, *split]
    reading.part.stop()


def test_shuffled_records_are_those_of_their_objects(s3: S3, tmp_path: Path) -> None:
    objects = _put(s3, [(MAGIC if number % 3 else b"some") * (number * 300) for number in range(40)])
    reading = Reading(s3, tmp_path, record_wrapper="RecordIO", shuffle_seed=5)
    for epoch in range(3):
        order = epoch_order(len(objects), 5, epoch)
        assert list(read_records(reading.epoch(epoch))) == [objects[place] for place in order]
    reading.part.stop()


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_gzip_is_undone_before_objects_are_wrapped(s3: S3, tmp_path: Path, wrapper: str) -> None:
    plain = [b"", b"a\n" * 10, bytes(9 * MEBIBYTE), b"first,second", random.Random(1).randbytes(MEBIBYTE)]
    packed = [gzip.compress(content) for content in plain]
    packed[3] = gzip.compress(b"first,") + gzip.compress(b"second") + b"\0\0"
    _put(s3, [*packed, b""])
    reading = Reading(s3, tmp_path, compression="Gzip", record_wrapper=wrapper)
    for epoch in (0, 1):
        read = reading.epoch(epoch)
        assert (list(read_records(read)) if wrapper == "RecordIO" else read) == (
            [*plain, b""] if wrapper == "RecordIO" else b"".join(plain)
        )
    reading.part.stop()


@pytest.mark.parametrize("damaged", [b"id,name\n", gzip.compress(b"x" * 1000)[:-3], gzip.compress(b"x") + b"garbage"])
def test_what_is_no_gzip_fails_the_job_with_its_uri(s3: S3, tmp_path: Path, damaged: bytes) -> None:
    _put(s3, [gzip.compress(b"fine"), damaged])
    reason = Reading(s3, tmp_path, compression="Gzip").fail()
    assert reason.startswith(
        "ClientError: Data download failed:Channel train has CompressionType Gzip, but s3://data/in/"
    )
    assert "/in/0001 is not a whole gzip file: " in reason


def test_attributes_of_a_manifest_are_records_in_their_order(s3: S3, tmp_path: Path) -> None:
    images = _put(s3, [b"png", b"", random.Random(2).randbytes(6 * MEBIBYTE)])
    lines = [
        {"label": number, "image-ref": f"s3://data/in/{number:04}", "text": f"n{number}"} for number in range(3)
    ] * 20
    write_all(s3, S3Uri("data", "train.manifest"), [json.dumps(line).encode() + b"\n" for line in lines])
    manifest: dict[str, Any] = {"s3_data_type": "AugmentedManifestFile", "s3_uri": "s3://data/train.manifest"}
    names = ("image-ref", "label")
    reading = Reading(s3, tmp_path / "1", record_wrapper="RecordIO", attribute_names=names, **manifest)
    assert reading.count == 60
    expected = [part for number in range(3) for part in (images[number], str(number).encode())] * 20
    assert list(read_records(reading.epoch(0))) == expected
    reading.part.stop()
    reading = Reading(s3, tmp_path / "2", attribute_names=("text", "image-ref"), **manifest)
    assert reading.epoch(0) == b"".join(b"n%d" % number + images[number] for number in range(3)) * 20
    reading.part.stop()


def test_a_reference_to_nothing_names_the_line(s3: S3, tmp_path: Path) -> None:
    write_all(s3, S3Uri("data", "m"), [b'{"a-ref": "s3://data/there"}\n{"a-ref": "s3://data/nowhere"}\n'])
    write_all(s3, S3Uri("data", "there"), [b"x"])
    reason = Reading(
        s3, tmp_path, s3_data_type="AugmentedManifestFile", s3_uri="s3://data/m", attribute_names=("a-ref",)
    ).fail()
    assert "Channel train cannot be read on in epoch 0: s3://data/nowhere: " in reason
    assert reason.endswith(" (line 2 of s3://data/m)")


def test_a_bad_manifest_fails_before_the_program_starts(s3: S3, tmp_path: Path) -> None:
    write_all(s3, S3Uri("data", "m"), [b'{"a": 1}\n{"b": 1}\n'])
    with pytest.raises(JobFailure, match='Line 2 of the augmented manifest "s3://data/m" has no attribute'):
        Reading(s3, tmp_path, s3_data_type="AugmentedManifestFile", s3_uri="s3://data/m", attribute_names=("a",))


def test_an_object_that_was_overwritten_fails_the_job_with_its_uri(s3: S3, tmp_path: Path) -> None:
    _put(s3, [b"1" * MEBIBYTE, b"2" * 9 * MEBIBYTE])
    reading = Reading(s3, tmp_path)
    write_all(s3, S3Uri("data", "in/0001"), [b"3" * 9 * MEBIBYTE])
    assert "s3://data/in/0001: the object was overwritten" in reading.fail()


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_a_file_of_the_store_that_was_cut_fails_the_job_with_its_uri(
    face: RunningFace, tmp_path: Path, wrapper: str
) -> None:
    s3 = EmbeddedS3(tmp_path / "store")
    for size in (100, 10_000, 1_000_000):
        write_all(s3, S3Uri("data", f"in/{size}"), [b"x" * size])
        reading = Reading(s3, tmp_path / str(size), record_wrapper=wrapper)
        os.truncate(face.storage.blobs.path(s3.head(S3Uri("data", f"in/{size}")).place), size - 1)
        assert f"s3://data/in/{size} is shorter than it was" in reading.fail()
        s3.delete(S3Uri("data", f"in/{size}"))


def test_broken_connections_are_taken_up_at_the_byte_where_they_broke(face: RunningFace, tmp_path: Path) -> None:
    content = random.Random(3).randbytes(20 * MEBIBYTE)
    with BreakingProxy(face.port, breaks=[]) as proxy:
        s3 = _remote(proxy.port)
        _put(s3, [content[:100], content[100:]])
        for wrapper in ("None", "RecordIO"):
            proxy._breaks[:] = [3_000_000, 1_234_567, 100]
            proxy.broken = 0
            reading = Reading(s3, tmp_path / wrapper, record_wrapper=wrapper)
            read = reading.epoch(0)
            reading.part.stop()
            assert proxy.broken == 3
            assert (read if wrapper == "None" else b"".join(read_records(read))) == content


def test_a_store_that_is_gone_for_good_fails_the_job_with_the_uri(face: RunningFace, tmp_path: Path) -> None:
    with BreakingProxy(face.port, breaks=[]) as proxy:
        s3 = _remote(proxy.port)
        _put(s3, [b"x" * (100 * MEBIBYTE)])
        reading = Reading(s3, tmp_path)
        with reading.open(0) as fifo:
            assert len(fifo.read(MEBIBYTE)) == MEBIBYTE
            proxy.refusing.set()
            reader = threading.Thread(target=fifo.read, daemon=True)
            reader.start()
            _await(lambda: reading.part.failure() is not None)
            assert reader.is_alive()
            reading.part.stop()
    failure = reading.part.failure()
    assert failure is not None
    assert failure.reason.startswith(
        "InternalServerError: Data download failed:Channel train cannot be read on in epoch 0: s3://data/in/0000: "
    )


def test_nothing_stays_behind(s3: S3, objects: list[bytes], tmp_path: Path) -> None:
    threads = threading.active_count()
    for number in range(3):
        reading = Reading(s3, tmp_path / "run" / str(number), record_wrapper="RecordIO")
        with reading.open(0) as fifo:
            fifo.read(10)
        reading.part.stop()
    _await(lambda: threading.active_count() <= threads)
    assert [path for path in _open_files() if path.startswith(str(tmp_path / "run"))] == []


def _open_files() -> list[str]:
    paths = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            paths.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return paths
