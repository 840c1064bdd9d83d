"""What doctor says of a home that is whole, and of one that is not; it changes nothing."""

import sqlite3
from pathlib import Path

import pytest

from sagestone.compose.examine_home import examine_home
from sagestone.compose.finding import Finding
from sagestone.compose.stores import open_state
from sagestone.s3.storage import Storage, open_storage
from sagestone.s3.storage.documents import Description
from sagestone.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_state(tmp_path / "state.sqlite3").close()
    storage = open_storage(tmp_path / "s3")
    storage.buckets.create("data", "us-east-1", 1.0)
    for key in ("one", "two"):
        _put(storage, key)
    storage.close()
    return tmp_path


def _put(storage: Storage, key: str) -> None:
    with storage.blobs.create() as blob:
        blob.write(key.encode())
        storage.objects.commit("data", key, blob, description=Description(), now=1.0)


def _found(home: Path, **settings: str) -> dict[str, Finding]:
    return {each.subject: each for each in examine_home(Settings(home=home, **settings))}  # type: ignore[arg-type]


def test_a_home_that_is_whole(home: Path) -> None:
    found = _found(home)
    assert {found[name].level for name in ("state.sqlite3", "s3/index.sqlite3", "s3/blobs", "versions")} == {"good"}
    assert found["s3/blobs"].text == "2, all there"
    assert found["settings"].text == "all as they come"


def test_a_blob_that_is_missing_and_one_too_many(home: Path) -> None:
    lost, kept = sorted((home / "s3" / "blobs").glob("*/*"))
    (kept.parent / "nobodys").write_bytes(b"")
    assert "1 that no object names" in _found(home)["s3/blobs"].text
    lost.unlink()
    finding = _found(home)["s3/blobs"]
    assert (finding.level, finding.text.startswith("1 of 2 are missing")) == ("bad", True)
    assert (kept.parent / "nobodys").exists()


def test_a_database_that_is_damaged(home: Path) -> None:
    database = home / "state.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(database.read_bytes())
    for at in range(4096, len(content), 4096):
        content[at : at + 100] = b"\xff" * 100
    database.write_bytes(content)
    finding = _found(home)["state.sqlite3"]
    assert (finding.level, "restore it from a backup" in finding.text) == ("bad", True)


def test_a_home_that_is_not_there_yet(tmp_path: Path) -> None:
    assert "state.sqlite3" not in _found(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_secrets_among_the_settings_are_not_shown(tmp_path: Path) -> None:
    text = _found(tmp_path, region="eu-west-1", s3_secret_key="hidden", s3_access_key="AKIA")["settings"].text
    assert "region = eu-west-1" in text
    assert "hidden" not in text
    assert "AKIA" not in text
