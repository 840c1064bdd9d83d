"""What is kept when the store's process is killed, or clients and disks fail, in the middle of a write."""

import errno
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.storage import Storage, open_storage
from sagestone.s3.storage.documents import Conditions, Description
from sagestone.s3.storage.refusal import Refusal, refusing_when_full
from sagestone.s3.uri import S3Uri
from tests.s3_face import REGION, RunningFace, running_face

ROOT = Path(__file__).parents[2]


def blob_files(directory: Path) -> list[Path]:
    return [path for path in (directory / "blobs").rglob("*") if path.is_file()]


def wait_until(true: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


@contextmanager
def face_process(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], RunningFace]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.s3_face_process", str(directory)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    storage = open_storage(directory)
    try:
        yield process, RunningFace(port=int(process.stdout.readline()), storage=storage)
    finally:
        process.kill()
        process.communicate()
        storage.close()


def half_a_put(port: int, path: str, data: bytes) -> socket.socket:
    """Send the head of a PUT of twice as much, and the data."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * len(data)}\r\n\r\n".encode() + data)
    return connection


class TestKilled:
    def test_kill_9_in_the_middle_of_a_put(self, tmp_path: Path) -> None:
        old = os.urandom(100_000)
        with face_process(tmp_path) as (process, face):
            s3 = face.client()
            s3.create_bucket(Bucket="data")
            s3.put_object(Bucket="data", Key="k", Body=old, Metadata={"m": "1"}, ContentType="text/x")
            upload = s3.create_multipart_upload(Bucket="data", Key="k")["UploadId"]
            s3.upload_part(Bucket="data", Key="k", UploadId=upload, PartNumber=1, Body=b"part")
            url = s3.generate_presigned_url("put_object", Params={"Bucket": "data", "Key": "k"})
            with half_a_put(face.port, url.removeprefix(face.endpoint), os.urandom(8 * 1024 * 1024)):
                wait_until(lambda: len(blob_files(tmp_path)) == 3)
                process.kill()
                process.wait()
        assert len(blob_files(tmp_path)) == 3
        with face_process(tmp_path) as (_, face):
            s3 = face.client()
            got = s3.get_object(Bucket="data", Key="k")
            assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (old, {"m": "1"}, "text/x")
            assert len(blob_files(tmp_path)) == 2
            parts = s3.list_parts(Bucket="data", Key="k", UploadId=upload)["Parts"]
            assert [part["Size"] for part in parts] == [4]

    def test_what_was_answered_is_kept(self, tmp_path: Path) -> None:
        """Writers at full speed, kill -9 at some moment: every PUT that was answered is there, every object whole."""
        answered: dict[str, str] = {}
        with face_process(tmp_path) as (process, face):
            face.client().create_bucket(Bucket="data")

            def write(writer: int) -> None:
                s3 = face.client()
                for turn in range(10_000):
                    key, data = f"{writer}/{turn}", os.urandom(20_000)
                    try:
                        etag = s3.put_object(Bucket="data", Key=key, Body=data)["ETag"]
                    except Exception:  # noqa: BLE001  # the server was killed
                        return
                    answered[key] = etag

            writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
            for thread in writers:
                thread.start()
            wait_until(lambda: len(answered) > 50)
            process.kill()
            for thread in writers:
                thread.join()
        storage = open_storage(tmp_path)
        storage.sweep()
        s3 = EmbeddedS3(tmp_path)
        there = {info.key: info for info in s3.list(S3Uri("data", ""))}
        assert {key: f'"{there[key].etag}"' for key in answered} == answered
        for key, info in there.items():
            with s3.read(S3Uri("data", key)) as pieces:
                assert hashlib.md5(b"".join(pieces)).hexdigest() == info.etag
        assert len(blob_files(tmp_path)) == len(there)


class TestCutOff:
    def test_a_client_that_goes_away_leaves_nothing(self, tmp_path: Path) -> None:
        with running_face(tmp_path) as face:
            s3 = face.client()
            s3.create_bucket(Bucket="data")
            url = s3.generate_presigned_url("put_object", Params={"Bucket": "data", "Key": "k"})
            connection = half_a_put(face.port, url.removeprefix(face.endpoint), os.urandom(4 * 1024 * 1024))
            wait_until(lambda: len(blob_files(tmp_path)) == 1)
            connection.close()
            wait_until(lambda: not blob_files(tmp_path))
            assert "Contents" not in s3.list_objects_v2(Bucket="data")

    def test_100_continue_comes_when_the_head_was_accepted(self, tmp_path: Path) -> None:
        with running_face(tmp_path) as face:
            s3 = face.client()
            s3.create_bucket(Bucket="data")
            for key, first in (("k", b"HTTP/1.1 100 Continue\r\n\r\n"), ("k" * 1025, b"HTTP/1.1 400 Bad Request\r\n")):
                url = s3.generate_presigned_url("put_object", Params={"Bucket": "data", "Key": key})
                target = url.removeprefix(face.endpoint)
                with socket.create_connection(("127.0.0.1", face.port), timeout=30) as connection:
                    head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                    connection.sendall(head.encode())
                    answer = connection.recv(65536)
                    assert answer.startswith(first)
                    if b"100 Continue" in first:
                        connection.sendall(b"hello")
                        assert b" 200 OK" in connection.recv(65536)
                    else:
                        assert b"\r\nConnection: close\r\n" in answer
            assert [each["Key"] for each in s3.list_objects_v2(Bucket="data")["Contents"]] == ["k"]

    def test_a_body_without_a_length_is_refused(self, tmp_path: Path) -> None:
        with running_face(tmp_path, authentication=False) as face:
            face.storage.buckets.create("data", REGION, 0.0)
            connection = http.client.HTTPConnection("127.0.0.1", face.port, timeout=30)
            connection.request("PUT", "/data/k", body=iter([b"hello"]), encode_chunked=True)
            response = connection.getresponse()
            assert (response.status, b"MissingContentLength" in response.read()) == (411, True)


class TestTogether:
    def test_only_one_of_many_creates(self, tmp_path: Path) -> None:
        with running_face(tmp_path) as face:
            face.storage.buckets.create("data", REGION, 0.0)
            won: list[bytes] = []

            def create(number: int) -> None:
                body = bytes([number]) * 10_000
                try:
                    face.client().put_object(Bucket="data", Key="k", Body=body, IfNoneMatch="*")
                except ClientError as error:
                    assert error.response["Error"]["Code"] == "PreconditionFailed"  # noqa: PT017
                else:
                    won.append(body)

            threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [face.client().get_object(Bucket="data", Key="k")["Body"].read()] == won

    def test_two_processes_and_a_sweep(self, tmp_path: Path) -> None:
        """A store that another process has open is not disturbed by a sweep, nor its unfinished writes."""
        mine, other = open_storage(tmp_path), open_storage(tmp_path)
        mine.buckets.create("data", REGION, 0.0)
        upload = EmbeddedS3(tmp_path).upload(S3Uri("data", "k"))
        upload.write(b"hello")
        (tmp_path / "blobs" / "ab").mkdir(exist_ok=True)
        (tmp_path / "blobs" / "ab" / ("ab" + "0" * 30)).write_bytes(b"left behind")
        assert len(other.sweep(dry_run=True)) == 1
        assert len(other.sweep()) == 1
        upload.commit()
        assert other.sweep() == []
        assert other.objects.open("data", "k")[1].read() == b"hello"

    def test_a_copy_shares_no_fate(self, tmp_path: Path) -> None:
        storage = open_storage(tmp_path)
        put(storage, "a", b"one")
        source, link = storage.objects.link("data", "a")
        storage.objects.delete("data", "a")
        with link:
            storage.objects.commit("data", "b", link, description=Description(), now=0.0, etag=source.etag)
        assert storage.objects.open("data", "b")[1].read() == b"one"
        assert len(blob_files(tmp_path)) == 1

    def test_missing_bytes_are_said_to_be_missing(self, tmp_path: Path) -> None:
        storage = open_storage(tmp_path)
        put(storage, "a", b"one")
        blob_files(tmp_path)[0].unlink()
        with pytest.raises(FileNotFoundError, match="the bytes of s3://data/a are missing"):
            storage.objects.open("data", "a")


class TestFull:
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_disk_is_said_to_be_full(self, number: int) -> None:
        with pytest.raises(Refusal, match="full") as raised, refusing_when_full("/some/where"):
            raise OSError(number, os.strerror(number))
        assert raised.value.code == "InsufficientStorage"

    def test_a_refused_commit_leaves_nothing(self, tmp_path: Path) -> None:
        storage = open_storage(tmp_path)
        put(storage, "a", b"one")
        absent = Conditions(if_none_match=True)
        with storage.blobs.create() as blob:
            blob.write(b"two")
            with pytest.raises(Refusal):
                storage.objects.commit("data", "a", blob, description=Description(), now=0.0, conditions=absent)
        assert storage.objects.open("data", "a")[1].read() == b"one"
        assert len(blob_files(tmp_path)) == 1


def put(storage: Storage, key: str, data: bytes) -> None:
    storage.buckets.create("data", REGION, 0.0)
    with storage.blobs.create() as blob:
        blob.write(data)
        storage.objects.commit("data", key, blob, description=Description(), now=0.0)
