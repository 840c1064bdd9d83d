"""A directory of checkpoints and its prefix in S3, embedded and over HTTP: what goes there, and when."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sagestone.channels.checkpoints.marks import UPLOADED, UPLOADING
from sagestone.channels.checkpoints.sync import CheckpointSync
from sagestone.s3.client import S3, S3Failure, Upload, write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.remote import RemoteS3
from sagestone.s3.storage.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face

PREFIX = S3Uri("bucket", "ckpt/run/")


class Place:
    """A store with one bucket, a directory, and the syncs that follow one another on it."""

    def __init__(self, directory: Path) -> None:
        storage = open_storage(directory / "s3")
        storage.buckets.create("bucket", "us-east-1", time.time())
        storage.close()
        self.s3: S3 = EmbeddedS3(directory / "s3")
        self.root = directory / "checkpoints"
        self.root.mkdir()
        self.record = directory / "scratch" / "record.json"
        self.notes: list[str] = []

    def sync(self) -> CheckpointSync:
        """A sync of a new directory."""
        made = CheckpointSync(self.s3, PREFIX, self.root, self.record, self.notes.append)
        made.begin()
        return made

    def next_sync(self) -> CheckpointSync:
        """The sync of an agent that follows a dead one."""
        made = CheckpointSync(self.s3, PREFIX, self.root, self.record, self.notes.append)
        assert made.take_up()
        return made

    def stored(self) -> dict[str, bytes]:
        found = {}
        for info in self.s3.list(PREFIX):
            with self.s3.read(S3Uri("bucket", info.key)) as pieces:
                found[info.key.removeprefix(PREFIX.key)] = b"".join(pieces)
        return found

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))


@pytest.fixture(params=["embedded", "remote"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    if request.param == "embedded":
        yield made
        return
    with running_face(tmp_path / "s3") as face:
        made.s3 = RemoteS3(face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)
        yield made


def test_a_file_goes_once_it_is_stable_and_again_when_it_changes(place: Place) -> None:
    sync = place.sync()
    (place.root / "a").write_bytes(b"1")
    sync.look()
    assert place.stored() == {}  # it may still be written to
    sync.look()
    assert place.stored() == {"a": b"1"}
    with (place.root / "a").open("ab") as file:
        file.write(b"2")
    sync.look()
    assert place.stored() == {"a": b"1"}
    sync.look()
    assert place.stored() == {"a": b"12"}


def test_the_last_look_takes_everything_at_once(place: Place) -> None:
    sync = place.sync()
    (place.root / "deep" / "er").mkdir(parents=True)
    (place.root / "deep" / "er" / "file").write_bytes(b"x" * 3_000_000)
    (place.root / "empty").touch()
    sync.look(last=True)
    assert place.stored() == {"deep/er/file": b"x" * 3_000_000, "empty": b""}
    assert place.names() == ["deep", "deep/er", "deep/er/file", "empty"]  # no marks: nobody looks at them any more


def test_what_was_restored_is_not_sent_again(place: Place) -> None:
    write_all(place.s3, S3Uri("bucket", "ckpt/run/old"), [b"in S3"])
    (place.root / "old").write_bytes(b"in S3")
    before = place.s3.head(S3Uri("bucket", "ckpt/run/old"))
    sync = place.sync()
    sync.look()
    sync.look(last=True)
    assert place.s3.head(S3Uri("bucket", "ckpt/run/old")) == before


def test_a_deletion_follows_after_two_looks_and_only_of_what_this_host_knew(place: Place) -> None:
    write_all(place.s3, S3Uri("bucket", "ckpt/run/of-another-host"), [b""])
    sync = place.sync()
    for name in ("one", "two"):
        (place.root / name).write_bytes(b"x")
    sync.look()
    sync.look()
    (place.root / "one").unlink()
    sync.look()
    assert set(place.stored()) == {"of-another-host", "one", "two"}
    sync.look()
    assert set(place.stored()) == {"of-another-host", "two"}
    (place.root / "two").unlink()
    sync.look(last=True)
    assert set(place.stored()) == {"of-another-host"}


def test_what_is_no_mirror_keeps_what_was_deleted_and_leaves_no_marks(place: Place) -> None:
    sync = CheckpointSync(place.s3, PREFIX, place.root, place.record, place.notes.append, mirror=False)
    sync.begin()
    (place.root / "events").write_bytes(b"1")
    sync.look()
    sync.look()
    assert place.names() == ["events"]
    (place.root / "events").unlink()
    for last in (False, False, True):
        sync.look(last=last)
    assert place.stored() == {"events": b"1"}


def test_a_checkpoint_that_replaces_another_is_there_before_the_old_one_goes(place: Place) -> None:
    sync = place.sync()
    (place.root / "step-1").write_bytes(b"1")
    sync.look()
    sync.look()
    (place.root / "step-1").unlink()
    (place.root / "step-2").write_bytes(b"2")
    for _ in range(4):
        sync.look()
        assert place.stored()
    assert place.stored() == {"step-2": b"2"}


def test_a_directory_that_cannot_be_read_deletes_nothing(place: Place) -> None:
    sync = place.sync()
    (place.root / "a").write_bytes(b"1")
    sync.look(last=True)
    moved = place.root.rename(place.root.with_name("elsewhere"))
    for last in (False, False, True):
        sync.look(last=last)
    assert place.stored() == {"a": b"1"}
    moved.rename(place.root)


def test_marks_stand_beside_a_file_and_go_with_it(place: Place) -> None:
    sync = place.sync()
    (place.root / "model").write_bytes(b"1")
    (place.root / "half.sagemaker-ignore").write_bytes(b"not yet")
    sync.look()
    assert place.names() == ["half.sagemaker-ignore", "model"]
    sync.look()
    assert place.names() == ["half.sagemaker-ignore", "model", f"model{UPLOADED}"]
    assert place.stored() == {"model": b"1"}
    (place.root / f"model{UPLOADING}").touch()  # as an agent leaves it that is killed in the middle
    (place.root / "model").unlink()
    sync.look()
    assert place.names() == ["half.sagemaker-ignore"]


class _Killed(BaseException):
    """Stands for SIGKILL."""


class _DyingUpload:
    """Kills the agent right after the store has taken the object."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self.write, self.abort = upload.write, upload.abort

    def commit(self) -> None:
        self._upload.commit()
        raise _Killed


class _DyingS3:
    """A store with such uploads."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def upload(self, uri: S3Uri) -> _DyingUpload:
        return _DyingUpload(self._s3.upload(uri))


def test_what_an_agent_uploaded_in_its_last_moment_is_known_to_the_next(place: Place) -> None:
    dying = CheckpointSync(cast(S3, _DyingS3(place.s3)), PREFIX, place.root, place.record, place.notes.append)
    dying.begin()
    (place.root / "step-1").write_bytes(b"1")
    dying.look()
    with pytest.raises(_Killed):
        dying.look()
    assert place.stored() == {"step-1": b"1"}
    (place.root / "step-1").unlink()
    place.next_sync().look(last=True)
    assert place.stored() == {}


def test_a_store_that_refuses_is_tried_again_and_the_last_time_told(place: Place) -> None:
    sync = place.sync()
    (place.root / "a").write_bytes(b"1")
    sync.look()
    storage = open_storage(place.root.parent / "s3")
    storage.buckets.delete("bucket")
    sync.look()
    assert len(place.notes) == 1
    assert "s3://bucket/ckpt/run/a" in place.notes[0]
    assert place.notes[0].endswith("it is tried again")
    with pytest.raises(S3Failure, match="s3://bucket/ckpt/run/a"):
        sync.look(last=True)
    storage.buckets.create("bucket", "us-east-1", time.time())
    storage.close()
    sync.look(last=True)
    assert place.stored() == {"a": b"1"}


_NAMES = ("a", "b", "dir/a", "dir/b", "dir/deep/a")
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(_NAMES), st.binary(max_size=20)),
        st.tuples(st.just("delete"), st.sampled_from(_NAMES)),
        st.tuples(st.just("look")),
        st.tuples(st.just("agent dies")),
    ),
    max_size=25,
)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in range(1_000_000))


@given(steps=_STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_s3_has_at_the_end_what_the_directory_has(
    places: Iterator[Path], steps: list[tuple[str, ...]]
) -> None:
    directory = next(places)
    directory.mkdir()
    place = Place(directory)
    sync = place.sync()
    expected: dict[str, bytes] = {}
    for step, *arguments in steps:
        if step == "write":
            name, content = arguments
            path = place.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)  # type: ignore[arg-type]
            expected[name] = content  # type: ignore[assignment]
        elif step == "delete" and arguments[0] in expected:
            (place.root / arguments[0]).unlink()
            del expected[arguments[0]]
        elif step == "look":
            sync.look()
        elif step == "agent dies":
            sync = place.next_sync()
    sync.look(last=True)
    assert place.stored() == expected
