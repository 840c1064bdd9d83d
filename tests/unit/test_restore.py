"""What is no backup, is damaged, or reaches outside is refused, and leaves nothing behind."""

import io
import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sagestone.archive.errors import UnsafeArchive
from sagestone.compose.backup import BackupFailed, back_up
from sagestone.compose.backup_format import FORMAT
from sagestone.compose.restore import RestoreFailed, restore
from sagestone.compose.stores import open_state
from sagestone.settings import Settings
from sagestone.wire.credentials import CredentialBook

MANIFEST = {"format": FORMAT, "version": "0.1.0", "made_at": 0.0}


def quiet(text: str, done: int, total: int) -> None:
    """Nobody watches."""


def _archive(directory: Path, members: Mapping[str, bytes | tarfile.TarInfo]) -> Path:
    path = directory / "made.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def _link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def _nothing_left(home: Path) -> bool:
    return not home.exists() and not list(home.parent.glob(f".{home.name}*"))


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A real backup of a small home."""
    home = tmp_path / "source"
    CredentialBook.open(home, "123456789012")
    open_state(home / "state.sqlite3").close()
    (home / "logs").mkdir()
    (home / "logs" / "a.log").write_text("1\twhole\n2\tcut o")
    path = tmp_path / "backup.tar.gz"
    back_up(Settings(home=home), path, tell=quiet)
    return path


def test_what_was_backed_up_is_restored(backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "restored"
    report = restore(backup, home, tell=quiet)
    kept = {path.name for path in home.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert kept == {"credentials.json", "logs", "state.sqlite3"}
    assert (home / "credentials.json").read_bytes() == (tmp_path / "source" / "credentials.json").read_bytes()
    assert (home / "logs" / "a.log").read_text() == "1\twhole\n"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert report.ended_jobs == ()


def test_a_home_that_holds_anything_is_refused(backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "used"
    home.mkdir()
    (home / "sagestone.toml").write_text("")
    with pytest.raises(RestoreFailed, match="not empty"):
        restore(backup, home, tell=quiet)
    assert [path.name for path in home.iterdir()] == ["sagestone.toml"]
    (home / "sagestone.toml").unlink()
    restore(backup, home, tell=quiet)
    assert (home / "state.sqlite3").exists()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"other": b"file"}, "has no manifest.json"),
        ({"manifest.json": b"no json"}, "has no manifest.json that can be read"),
        ({"manifest.json": json.dumps({**MANIFEST, "format": FORMAT + 1}).encode()}, "restore it with that version"),
        ({"manifest.json": json.dumps({"format": 1}).encode()}, "is no backup of Sagestone"),
        ({"manifest.json": json.dumps(MANIFEST).encode()}, "not complete"),
        (
            {"manifest.json": json.dumps(MANIFEST).encode(), "SHA256SUMS": b"0" * 64 + b"  manifest.json\n"},
            "manifest.json is not as it was",
        ),
        ({"manifest.json": json.dumps(MANIFEST).encode(), "more": b"", "SHA256SUMS": b""}, "damaged"),
        (
            {"manifest.json": json.dumps(MANIFEST).encode(), "SHA256SUMS": b"", "l": _link("l", "manifest.json")},
            "is no file|not as it was",
        ),
    ],
)
def test_what_is_no_whole_backup_is_refused(
    tmp_path: Path, members: Mapping[str, bytes | tarfile.TarInfo], words: str
) -> None:
    home = tmp_path / "home"
    with pytest.raises(RestoreFailed, match=words):
        restore(_archive(tmp_path, members), home, tell=quiet)
    assert _nothing_left(home)


@pytest.mark.parametrize(
    "members", [{"../outside": b"x"}, {"/outside": b"x"}, {"a/../../outside": b"x"}, {"l": _link("l", "/etc/passwd")}]
)
def test_an_archive_that_reaches_outside_is_refused(
    tmp_path: Path, members: Mapping[str, bytes | tarfile.TarInfo]
) -> None:
    home = tmp_path / "inner" / "home"
    with pytest.raises(UnsafeArchive):
        restore(_archive(tmp_path, members), home, tell=quiet)
    assert _nothing_left(home)
    assert not (tmp_path / "outside").exists()


def test_damage_is_noticed_wherever_it_matters(backup: Path, tmp_path: Path) -> None:
    """Deflate has a few bits that mean nothing: a backup with one of these turned is as good as before."""
    content, home, noticed = backup.read_bytes(), tmp_path / "home", 0
    places = range(10, len(content), max(1, len(content) // 40))
    for at in places:
        damaged = tmp_path / "damaged.tar.gz"
        damaged.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            restore(damaged, home, tell=quiet)
        except (RestoreFailed, UnsafeArchive):
            noticed += 1
            assert _nothing_left(home)
        else:
            for name in ("credentials.json", "logs/a.log"):
                assert (home / name).read_bytes().startswith((tmp_path / "source" / name).read_bytes()[:8])
            shutil.rmtree(home)
    assert noticed >= 0.8 * len(places)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_a_backup_that_was_cut_off_is_noticed(backup: Path, tmp_path: Path, part: float) -> None:
    content = backup.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(content[: int(part * len(content))])
    with pytest.raises((RestoreFailed, UnsafeArchive)):
        restore(cut, tmp_path / "home", tell=quiet)
    assert _nothing_left(tmp_path / "home")


def test_state_that_lies_elsewhere_is_not_backed_up_from_what_a_home_held_before(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "state.sqlite3").touch()
    settings = Settings(home=tmp_path / "home", database="postgresql://sagestone@127.0.0.1/sagestone")
    with pytest.raises(BackupFailed, match="pg_dump"):
        back_up(settings, tmp_path / "backup.tar.gz", tell=quiet)
    assert not (tmp_path / "backup.tar.gz").exists()
