"""Trees that a program filled to do harm, and archives that nobody vouches for: nothing gets out, all is bounded."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.archive.errors import PackFailed, UnsafeArchive
from sagestone.archive.pack import PackReport, pack_tree
from sagestone.archive.unpack import unpack
from sagestone.domain.failure import Failure, JobFailure

LIMIT = 1 << 20


def packed(roots: Sequence[Path], limit: int = LIMIT) -> tuple[PackReport, dict[str, bytes]]:
    """The report, and the contents of the files in the archive."""
    out = io.BytesIO()

    def write(data: bytes) -> None:
        out.write(data)

    report = pack_tree(roots, write, limit)
    out.seek(0)
    with tarfile.open(fileobj=out, mode="r:gz") as archive:
        return report, {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]


def archive(*members: tuple[str, dict[str, object]]) -> io.BytesIO:
    """A .tar.gz; the fields are those of TarInfo, and `content`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, fields in members:
            entry = tarfile.TarInfo(name)
            content = fields.pop("content", b"")
            assert isinstance(content, bytes)
            entry.size = len(content)
            for key, value in fields.items():
                setattr(entry, key, value)
            tar.addfile(entry, io.BytesIO(content))
    out.seek(0)
    return out


def test_a_root_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("of another job")
    for target in (outside, "outside", "/etc"):
        root = tmp_path / "data"
        root.symlink_to(target)
        report, files = packed([root])
        assert files == {}
        assert [(each.path, each.reason) for each in report.dropped] == [("data", "is no directory any more")]
        root.unlink()
    root.write_text("a file")
    assert packed([root])[1] == {}


def test_links_pipes_sockets_and_devices_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of another job")
    root = tmp_path / "model"
    root.mkdir()
    (root / "weights").write_text("fine")
    (root / "absolute").symlink_to("/etc/passwd")
    (root / "climbing").symlink_to("../secret")
    (root / "proc").symlink_to("/proc/self/environ")
    os.mkfifo(root / "pipe")
    if os.geteuid() == 0:
        os.mknod(root / "zero", 0o20666, os.makedev(1, 5))
    report, files = packed([root])
    assert files == {"weights": b"fine"}
    assert len(report.dropped) == (5 if os.geteuid() == 0 else 4)


def test_holes_count_in_full(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PackFailed, match=r"sparse.*makes the archive's contents larger than 1048576 bytes"):
        packed([tmp_path])


def test_many_files_in_one_directory_come_in_order(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number:04}").touch()
    report, files = packed([tmp_path])
    assert report.files == 3000
    assert list(files) == sorted(files)


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("/etc/cron.d/evil", {"content": b"x"}, "absolute name"),
        ("../evil", {"content": b"x"}, 'has ".." in its name'),
        ("a/../../evil", {"content": b"x"}, 'has ".." in its name'),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc"}, "may lead outside"),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "../.."}, "may lead outside"),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"}, "absolute name"),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "../../etc/passwd"}, 'has ".." in its name'),
        ("zero", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}, "of a kind that is not unpacked: device"),
        ("disk", {"type": tarfile.BLKTYPE, "devmajor": 8}, "of a kind that is not unpacked: device"),
        ("pipe", {"type": tarfile.FIFOTYPE}, "of a kind that is not unpacked: fifo"),
    ],
)
def test_members_that_mean_harm_are_refused(tmp_path: Path, name: str, fields: dict[str, object], reason: str) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(UnsafeArchive, match=reason):
        unpack(archive((name, dict(fields))), tmp_path / "target", LIMIT, 100)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert list((tmp_path / "target").iterdir()) == []


def test_a_link_is_no_way_out_for_later_members(tmp_path: Path) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    target.mkdir()
    outside.mkdir()
    members = archive(
        ("way", {"type": tarfile.SYMTYPE, "linkname": "inner"}),
        ("inner", {"type": tarfile.SYMTYPE, "linkname": "way"}),
        ("way/evil", {"content": b"x"}),
    )
    with pytest.raises(UnsafeArchive, match="has the name of a directory"):  # links are made last
        unpack(members, target, LIMIT, 100)
    assert list(outside.iterdir()) == []


def test_a_link_that_is_no_text_is_told_in_one(tmp_path: Path) -> None:
    bad = "/\udcff\n\x1b[2J"
    with pytest.raises(UnsafeArchive) as refused:
        unpack(archive(("link", {"type": tarfile.SYMTYPE, "linkname": bad})), tmp_path, LIMIT, 10)
    assert str(refused.value).isprintable()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(bad)
    report, _ = packed([tmp_path / "tree"])
    assert report.dropped[0].reason.isprintable()
    failure = JobFailure("client", f"whatever is raw: {bad}").failure
    assert msgspec.json.decode(msgspec.json.encode(failure), type=Failure) == failure


@pytest.mark.parametrize("bomb", ["contents", "members", "long name", "behind the end", "sparse", "pax size"])
def test_bombs_are_stopped_at_their_limits(tmp_path: Path, bomb: str) -> None:
    content = {
        "contents": lambda: archive(("zeros", {"content": bytes(64 << 20)})),
        "members": lambda: archive(*((str(number), {}) for number in range(200))),
        "long name": lambda: _gzipped(_header(b"L", 1 << 33)),
        "behind the end": lambda: _gzipped(bytes(80 << 20)),
        "sparse": lambda: _gzipped(_header(b"S", 1 << 40)),
        "pax size": lambda: _gzipped(_header(b"x", 20) + b"20 size=99999999999\n".ljust(512, b"\0") + _header(b"0", 0)),
    }[bomb]()
    assert len(content.getvalue()) < 200_000
    (tmp_path / "target").mkdir()
    with pytest.raises(UnsafeArchive):
        unpack(content, tmp_path / "target", LIMIT, 100)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= LIMIT


@given(st.binary(max_size=2048))
def test_any_bytes_are_an_archive_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    forms: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, lambda data: gzip.compress(data)[:-5]]
    for form in forms:
        target = tmp_path_factory.mktemp("target")
        try:
            unpack(io.BytesIO(form(content)), target, LIMIT, 100)
        except UnsafeArchive:
            continue


def _header(kind: bytes, size: int) -> bytes:
    """One header with a size that may be a lie."""
    entry = tarfile.TarInfo("member")
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _gzipped(content: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(content, 9))
