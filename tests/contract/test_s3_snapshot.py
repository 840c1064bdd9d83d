"""A snapshot of a store that is written to all the while: whatever its index names is there, whole."""

import hashlib
import threading
from pathlib import Path

import pytest

from sagestone.s3.storage import Storage, open_storage
from sagestone.s3.storage.documents import Description
from sagestone.s3.storage.snapshot import snapshot_store

BUCKET = "data"


def _put(storage: Storage, key: str, body: bytes) -> None:
    with storage.blobs.create() as blob:
        blob.write(body)
        storage.objects.commit(BUCKET, key, blob, description=Description(), now=1.0)


def _check(directory: Path) -> dict[str, bytes]:
    """Every object's bytes; fails where they are not what the index says."""
    storage = open_storage(directory)
    try:
        found = {}
        for key, blob, etag in storage.index.rows("SELECT key, blob, etag FROM object"):
            found[key.decode()] = storage.blobs.path(blob).read_bytes()
            assert hashlib.md5(found[key.decode()]).hexdigest() == etag
        assert sum(1 for path in (directory / "blobs").glob("*/*")) == len(found)
        return found
    finally:
        storage.close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    opened = open_storage(tmp_path / "s3")
    opened.buckets.create(BUCKET, "us-east-1", 1.0)
    return opened


def test_a_snapshot_while_others_write_overwrite_and_delete_is_whole(storage: Storage, tmp_path: Path) -> None:
    """Each writer numbers what it writes, so that a snapshot shows a prefix of what it did: nothing is from later."""
    for number in range(40):
        _put(storage, f"old-{number}", b"old %d" % number)
    ends = threading.Event()
    written = [0, 0]

    def write(writer: int) -> None:
        mine = open_storage(tmp_path / "s3")
        while not ends.is_set():
            number = written[writer]
            _put(mine, f"{writer}-new", b"%d" % number)
            _put(mine, f"{writer}-{number}", b"%d" % number)
            mine.objects.delete(BUCKET, f"old-{(2 * number + writer) % 40}")
            written[writer] += 1
        mine.close()

    writers = [threading.Thread(target=write, args=(writer,)) for writer in (0, 1)]
    for each in writers:
        each.start()
    try:
        for turn in range(8):
            target = tmp_path / f"snapshot-{turn}"
            target.mkdir()
            before = list(written)
            assert snapshot_store(tmp_path / "s3", target).lost == ()
            found = _check(target)
            for writer in (0, 1):
                last = int(found.get(f"{writer}-new", b"-1"))
                assert last >= before[writer] - 1
                assert all(f"{writer}-{number}" in found for number in range(last))
                assert f"{writer}-{last + 1}" not in found
    finally:
        ends.set()
        for each in writers:
            each.join(30)
    storage.close()


def test_what_was_lost_is_told_and_all_else_is_there(storage: Storage, tmp_path: Path) -> None:
    _put(storage, "kept", b"kept")
    _put(storage, "lost", b"lost")
    ((name,),) = storage.index.rows("SELECT blob FROM object WHERE key = CAST('lost' AS BLOB)")
    storage.blobs.path(name).unlink()
    target = tmp_path / "snapshot"
    target.mkdir()
    assert snapshot_store(tmp_path / "s3", target).lost == (name,)
    assert [path.read_bytes() for path in (target / "blobs").glob("*/*")] == [b"kept"]
    storage.close()


def test_an_object_that_is_overwritten_later_stays_as_it_was(storage: Storage, tmp_path: Path) -> None:
    _put(storage, "one", b"first")
    target = tmp_path / "snapshot"
    target.mkdir()
    snapshot_store(tmp_path / "s3", target)
    _put(storage, "one", b"second")
    storage.sweep()
    assert _check(target) == {"one": b"first"}
    storage.close()
