"""A process that is killed while it uploads in parts leaves none: the next one has the endpoint forget them."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from sagestone.agent.parts import S3Part
from sagestone.s3.client import write_all
from sagestone.s3.open_uploads import OpenUploads
from sagestone.s3.remote import RemoteS3
from sagestone.s3.uri import S3Uri
from tests.breaking_proxy import BreakingProxy
from tests.contract.training.training_instance import Ground, Platform, TrainingInstance
from tests.contract.transform.transform_instance import TransformInstance, serving_sandbox
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, RunningFace, running_face

BUCKET = "bucket"
URI = S3Uri(BUCKET, "large")
FIRST_PART = bytes(8 * 1024 * 1024)


@pytest.fixture
def face(tmp_path: Path) -> Iterator[RunningFace]:
    with running_face(tmp_path / "store") as running:
        running.storage.buckets.create(BUCKET, REGION, 0.0)
        yield running


def _client(endpoint: str, notes: Path) -> RemoteS3:
    return RemoteS3(endpoint, REGION, ACCESS_KEY, SECRET_KEY, open_uploads=OpenUploads(notes))


def _open(face: RunningFace) -> list[int]:
    """How many parts each open upload has."""
    return [len(face.storage.uploads.parts(upload)) for upload in face.storage.uploads.all()]


def test_an_upload_that_nobody_ended_is_aborted_by_the_next_client(face: RunningFace, tmp_path: Path) -> None:
    _client(face.endpoint, tmp_path / "notes").upload(URI).write(FIRST_PART)  # and its process is killed
    assert _open(face) == [1]
    following = _client(face.endpoint, tmp_path / "notes")
    own = following.upload(S3Uri(BUCKET, "own"))
    own.write(FIRST_PART)
    following.clear()
    assert _open(face) == [1]
    own.commit()
    assert following.head(S3Uri(BUCKET, "own")).size == len(FIRST_PART)
    assert _open(face) == []
    assert list((tmp_path / "notes").iterdir()) == []


def test_one_that_had_come_to_its_end_stays(face: RunningFace, tmp_path: Path) -> None:
    notes, kept = tmp_path / "notes", tmp_path / "kept"
    upload = _client(face.endpoint, notes).upload(URI)
    upload.write(FIRST_PART)
    (note,) = notes.iterdir()
    kept.write_bytes(note.read_bytes())
    upload.commit()
    kept.rename(note)  # as if it had died before it forgot that
    _client(face.endpoint, notes).clear()
    assert _client(face.endpoint, notes).head(URI).size == len(FIRST_PART)
    assert list(notes.iterdir()) == []


def test_while_the_endpoint_is_away_the_note_stays(face: RunningFace, tmp_path: Path) -> None:
    with BreakingProxy(face.port, []) as proxy:
        endpoint = f"http://127.0.0.1:{proxy.port}"
        _client(endpoint, tmp_path / "notes").upload(URI).write(FIRST_PART)
        proxy.refusing.set()
        _client(endpoint, tmp_path / "notes").clear()
        assert _open(face) == [1]
        proxy.refusing.clear()
        _client(endpoint, tmp_path / "notes").clear()
        assert _open(face) == []


def test_what_is_written_at_once_needs_no_note(face: RunningFace, tmp_path: Path) -> None:
    write_all(_client(face.endpoint, tmp_path / "notes"), URI, [b"small"])
    assert not (tmp_path / "notes").exists()


class _Holding:
    """Holds the first request back that brings the second part of an upload."""

    def __init__(self) -> None:
        self.held, self.released = threading.Event(), threading.Event()

    async def arrived(self, request: web.BaseRequest) -> None:
        if "partNumber=2" in request.query_string and not self.held.is_set():
            self.held.set()
            while not self.released.is_set():
                await asyncio.sleep(0.01)


@contextmanager
def _ground(platform: Platform, directory: Path, holding: _Holding) -> Iterator[tuple[Ground, RunningFace]]:
    """Agents reach its store by HTTP alone."""
    ground = Ground(platform=platform, directory=directory)
    with running_face(directory / "s3", arrived=holding.arrived) as face:
        part = S3Part(
            kind="remote", region=REGION, endpoint_url=face.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY
        )
        object.__setattr__(ground, "s3_part", part)
        yield ground, face


def test_an_agent_killed_while_it_uploads_its_model(tmp_path: Path) -> None:
    holding = _Holding()
    with _ground(Platform.sandbox(tmp_path), tmp_path, holding) as (ground, face):
        program = "head -c 20000000 /dev/urandom > /opt/ml/model/m; cat /opt/ml/model/m | sha256sum"
        instance = TrainingInstance(ground, program).start()
        assert holding.held.wait(60)
        assert _open(face) == [1]
        assert ground.keys() == []
        instance.kill()
        holding.released.set()
        assert instance.run().ending == "Completed"
        assert _open(face) == []
        assert ground.keys() == ["out/job/output/model.tar.gz"]
        assert len(ground.archive("out/job/output/model.tar.gz")["m"]) == 20_000_000


def test_an_agent_killed_while_it_uploads_an_output(tmp_path: Path) -> None:
    holding = _Holding()
    with _ground(serving_sandbox(tmp_path), tmp_path, holding) as (ground, face):
        ground.put("in/a", b"".join(b"%d\n" % number for number in range(10, 30)))
        answers = b"".join(b"%d" % number * 500_000 for number in range(10, 30))
        program = "def answer(request):\n    return request.body.strip() * 500_000\n"
        instance = TransformInstance(ground, program, split_type="Line", batch_strategy="SingleRecord").start()
        assert holding.held.wait(60)
        assert _open(face) == [1]
        instance.kill()
        holding.released.set()
        assert instance.run().ending == "Completed"
        assert _open(face) == []
        assert instance.outputs() == {"a.out": answers}
