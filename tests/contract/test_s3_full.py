"""An S3 store that becomes full in the middle of an upload: the agent waits, and what it made arrives whole."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from sagestone.agent.parts import S3Part
from tests.contract.training.training_instance import Ground, Platform, TrainingInstance
from tests.contract.transform.transform_instance import TransformInstance, serving_sandbox
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face
from tests.small_disk import small_disk

_ROOM = 64 * 1024 * 1024
_FOR_ONE_PART = 12 * 1024 * 1024


class FullStore:
    """Has room for the first part of an upload and none for the second; for that only when it comes again."""

    def __init__(self, disk: Path) -> None:
        self._filler, self._disk = disk / "filler", disk
        self.refused = threading.Event()

    def fill(self) -> None:
        found = os.statvfs(self._disk)
        self._filler.write_bytes(bytes(found.f_bavail * found.f_frsize - _FOR_ONE_PART))

    async def arrived(self, request: web.BaseRequest) -> None:
        if "partNumber=2" in request.query_string:
            if self._filler.exists() and self.refused.is_set():
                self._filler.unlink()
            self.refused.set()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system for the store alone."""
    with small_disk(tmp_path / "s3", f"size={_ROOM}", held=True) as place:  # the ground still holds its index
        yield place


@contextmanager
def _full_store(platform: Platform, disk: Path) -> Iterator[tuple[Ground, FullStore]]:
    ground = Ground(platform=platform, directory=disk.parent)
    store = FullStore(disk)
    with running_face(disk, arrived=store.arrived) as face:
        part = S3Part(
            kind="remote", region=REGION, endpoint_url=face.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY
        )
        object.__setattr__(ground, "s3_part", part)
        yield ground, store
        assert store.refused.is_set()
        assert list(face.storage.uploads.all()) == []
        face.storage.sweep()
        named = len(ground.keys())
    assert len([path for path in (disk / "blobs").glob("*/*") if path.is_file()]) == named


def test_of_a_model(disk: Path, tmp_path: Path) -> None:
    with _full_store(Platform.sandbox(tmp_path), disk) as (ground, store):
        store.fill()
        outcome = TrainingInstance(ground, "head -c 20000000 /dev/urandom > /opt/ml/model/m").run()
        assert (outcome.ending, outcome.failure) == ("Completed", None)
        assert ground.keys() == ["out/job/output/model.tar.gz"]
        assert len(ground.archive("out/job/output/model.tar.gz")["m"]) == 20_000_000


def test_of_an_output(disk: Path, tmp_path: Path) -> None:
    with _full_store(serving_sandbox(tmp_path), disk) as (ground, store):
        ground.put("in/a", b"".join(b"%d\n" % number for number in range(10, 30)))
        answers = b"".join(b"%d" % number * 500_000 for number in range(10, 30))
        store.fill()
        program = "def answer(request):\n    return request.body.strip() * 500_000\n"
        instance = TransformInstance(ground, program, split_type="Line", batch_strategy="SingleRecord")
        instance.complete()
        assert instance.outputs() == {"a.out": answers}
