"""The sandbox's image store: every form of archive, and layers made to write where they must not."""

import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sagestone.containers.fresh import fresh_directory, sweep
from sagestone.containers.images.store import ImageStore
from sagestone.containers.machine import architecture
from sagestone.containers.runtime import ImageNotFound, RuntimeFailure
from tests.images import write_layers

DIRECTORY, LINK, HARD_LINK = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
DEVICE, PIPE = tarfile.CHRTYPE, tarfile.FIFOTYPE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    """A store; at the end nothing half made may lie in it, and nothing that was beside it may have changed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("untouched")
    yield ImageStore(tmp_path / "images")
    assert [entry.name for entry in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "untouched"
    assert stat.S_IMODE((outside / "precious").stat().st_mode) == 0o644
    assert [entry.name for entry in tmp_path.glob("images/store/.*")] == []


def layer(*members: tuple[str, dict[str, Any]]) -> bytes:
    """An uncompressed layer; the fields are those of TarInfo, and `content`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, given in members:
            fields = {"mode": 0o644, "mtime": 1_000_000_000, **given}
            content = fields.pop("content", b"")
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for key, value in fields.items():
                setattr(entry, key, value)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def load(store: ImageStore, tmp_path: Path, *layers: bytes) -> Path:
    """The root directory of an image of these layers."""
    written = write_layers(tmp_path / "image.tar", "image:1", layers)
    (image,) = store.load(written.path)
    return store.resolve(image.id).rootfs


def test_whiteouts_take_away_what_lower_layers_left(store: ImageStore, tmp_path: Path) -> None:
    lower = layer(
        ("etc", {"type": DIRECTORY, "mode": 0o755}),
        ("etc/kept", {"content": b"1"}),
        ("etc/gone", {"content": b"1"}),
        ("old/deep/file", {"content": b"1"}),
        ("cleared/below", {"content": b"1"}),
        ("turned", {"content": b"a file"}),
    )
    upper = layer(
        ("etc/.wh.gone", {}),
        ("etc/.wh.never-there", {}),
        (".wh.old", {}),
        ("cleared/new", {"content": b"2"}),
        ("cleared/.wh..wh..opq", {}),
        ("turned", {"type": DIRECTORY, "mode": 0o755}),
        ("turned/into", {"content": b"a directory"}),
    )
    root = load(store, tmp_path, lower, upper)
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert files == ["cleared/new", "etc/kept", "turned/into"]


@pytest.mark.parametrize(
    "name", [".wh..", ".wh...", ".wh.", "a/.wh...", "a/b/.wh..", "a/.wh."], ids=lambda name: name.replace("/", "_")
)
def test_a_whiteout_of_no_file_is_refused(store: ImageStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeFailure, match=r"image\.tar cannot be loaded: .*whiteout"):
        load(store, tmp_path, layer(("a/b/kept", {})), layer((name, {})))
    assert list(store.images()) == []


@pytest.mark.parametrize("name", ["../outside/precious", "a/../../outside/precious", "..", "a/b/.."])
def test_a_name_that_climbs_is_refused(store: ImageStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeFailure, match=r'".." in its name'):
        load(store, tmp_path, layer(("a/b/file", {})), layer((name, {"content": b"overwritten"})))
    assert list(store.images()) == []


def test_an_absolute_name_lies_in_the_image(store: ImageStore, tmp_path: Path) -> None:
    name = f"{tmp_path}/outside/precious"
    root = load(store, tmp_path, layer((name, {"content": b"inside"})))
    assert (root / name.lstrip("/")).read_text() == "inside"


@pytest.mark.parametrize("target", ["{outside}", "../../../../outside", "/../../../../../../..{outside}"])
def test_links_lead_nowhere_but_into_the_image(store: ImageStore, tmp_path: Path, target: str) -> None:
    target = target.format(outside=tmp_path / "outside")
    members = (
        ("way", {"type": LINK, "linkname": target}),
        ("way/precious", {"content": b"overwritten"}),
        ("way/new", {"content": b"new"}),
        ("way/further", {"type": DIRECTORY, "mode": 0o777}),
        ("taken", {"type": HARD_LINK, "linkname": "way/precious"}),
    )
    root = load(store, tmp_path, layer(*members), layer(("way/.wh.precious", {}), ("way/.wh..wh..opq", {})))
    assert str((root / "way").readlink()) == target
    assert (root / "taken").read_text() == "overwritten"


def test_a_hard_link_to_a_link_is_the_link(store: ImageStore, tmp_path: Path) -> None:
    outside = str(tmp_path / "outside/precious")
    members = (
        ("link", {"type": LINK, "linkname": outside}),
        ("second", {"type": HARD_LINK, "linkname": "link"}),
        ("second", {"content": b"replaces the link", "mode": 0o777}),
    )
    root = load(store, tmp_path, layer(*members))
    assert (root / "second").read_text() == "replaces the link"
    assert (root / "link").is_symlink()


@pytest.mark.parametrize(
    ("link", "message"),
    [("../outside/precious", r'".." in its name'), ("/nothing/there", "cannot be made"), ("/", "to the root")],
)
def test_a_hard_link_out_of_the_image_is_refused(store: ImageStore, tmp_path: Path, link: str, message: str) -> None:
    with pytest.raises(RuntimeFailure, match=message):
        load(store, tmp_path, layer(("taken", {"type": HARD_LINK, "linkname": link})))


def test_devices_and_pipes_are_left_out_and_rights_taken_away(store: ImageStore, tmp_path: Path) -> None:
    members = (
        ("dev/mem", {"type": DEVICE, "devmajor": 1, "devminor": 1, "mode": 0o666}),
        ("pipe", {"type": PIPE}),
        ("bin/su", {"content": b"x", "mode": 0o6755}),
        ("shared", {"type": DIRECTORY, "mode": 0o3777}),
    )
    root = load(store, tmp_path, layer(*members))
    assert not (root / "dev/mem").exists()
    assert not (root / "pipe").exists()
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "shared").stat().st_mode) == 0o1777


def test_links_in_a_circle_are_refused(store: ImageStore, tmp_path: Path) -> None:
    members = (
        ("a", {"type": LINK, "linkname": "b"}),
        ("b", {"type": LINK, "linkname": "a"}),
        ("a/file", {"content": b"x"}),
    )
    with pytest.raises(RuntimeFailure, match="too many links"):
        load(store, tmp_path, layer(*members))


def test_modes_times_and_owners_are_the_images(store: ImageStore, tmp_path: Path) -> None:
    members = (
        ("closed", {"type": DIRECTORY, "mode": 0o500, "mtime": 5}),
        ("closed/file", {"content": b"x", "mode": 0o400, "mtime": 6, "uid": 12, "gid": 34}),
    )
    file = load(store, tmp_path, layer(*members)) / "closed/file"
    assert (file.stat().st_mtime, file.parent.stat().st_mtime) == (6, 5)
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    if os.geteuid() == 0:
        assert (file.stat().st_uid, file.stat().st_gid) == (12, 34)


@pytest.mark.parametrize("packed", ["plain", "gzip", "directory"])
def test_an_oci_layout_is_loaded_in_every_form(store: ImageStore, tmp_path: Path, packed: str) -> None:
    directory = tmp_path / "layout"
    digest, identity = _layout(directory, [layer(("one", {"content": b"1"})), layer(("two", {"content": b"2"}))])
    path = directory
    if packed != "directory":
        path = tmp_path / "layout.tar"
        with tarfile.open(path, "w:gz" if packed == "gzip" else "w") as archive:
            archive.add(directory, ".")
    (image,) = store.load(path)
    assert (image.digest, image.id, image.names) == (digest, identity, ("team/alg:3", f"team/alg@{digest}"))
    for reference in ("team/alg:3", f"team/alg@{digest}", f"team/alg:3@{digest}", digest, identity, identity[7:19]):
        assert store.resolve(reference).image.id == identity
    assert (store.resolve(digest).rootfs / "two").read_text() == "2"
    store.remove(digest)
    with pytest.raises(ImageNotFound):
        store.resolve("team/alg:3")


@pytest.mark.parametrize(
    "repository", ["registry.example:5000/" + "/".join(["team"] * 20), "a" * 200, "b/" * 120 + "c"]
)
def test_long_names_are_names(store: ImageStore, tmp_path: Path, repository: str) -> None:
    written = write_layers(tmp_path / "long.tar", f"{repository}:1", [layer(("file", {}))])
    (image,) = store.load(written.path)
    store.tag(image.id, f"{repository}:2")
    assert store.resolve(f"{repository}:1").image.names == (f"{repository}:1", f"{repository}:2")
    store.remove(f"{repository}:1")
    assert store.resolve(f"{repository}:2").image.names == (f"{repository}:2",)
    store.remove(f"{repository}:2")
    assert list(store.images()) == []


def test_what_another_process_changes_is_seen_at_once(store: ImageStore, tmp_path: Path) -> None:
    """Also between two changes that the file system's clock cannot tell apart."""
    other = ImageStore(tmp_path / "images")
    written = write_layers(tmp_path / "image.tar", "image:1", [layer(("file", {}))])
    (image,) = store.load(written.path)
    names = [f"image:{number}" for number in range(1, 30)]
    for name in names[1:]:
        store.tag(image.id, name)
        assert name in other.resolve(image.id).image.names
    for name in names[:-1]:
        store.remove(name)
        assert name not in other.resolve(image.id).image.names
    settled = tmp_path / "images" / "names"
    os.utime(settled, (1_000_000_000, 1_000_000_000))
    assert other.resolve(names[-1]).image.names == (names[-1],)
    store.remove(names[-1])
    with pytest.raises(ImageNotFound):
        other.resolve(names[-1])
    with pytest.raises(ImageNotFound):
        other.resolve(image.id)


def test_a_store_that_is_full_says_so(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a plain user does not limit a disk: only root can mount a small one")
    program = """
import sys
from pathlib import Path
from sagestone.containers.images.store import ImageStore
from sagestone.containers.runtime import RuntimeFailure
from sagestone.containers.sandbox.system import NEW_NS, PRIVATE, RECURSIVE, mount, unshare
unshare(NEW_NS)
mount("", "/", flags=RECURSIVE | PRIVATE)
mount("tmpfs", sys.argv[1], "tmpfs", data="size=1m")
try:
    ImageStore(Path(sys.argv[1])).load(Path(sys.argv[2]))
except RuntimeFailure as error:
    print(error, [entry.name for entry in Path(sys.argv[1], "store").iterdir()])
"""
    (tmp_path / "small").mkdir()
    written = write_layers(tmp_path / "big.tar", "big:1", [layer(("file", {"content": bytes(4 << 20)}))])
    command = [sys.executable, "-c", program, str(tmp_path / "small"), str(written.path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stdout.endswith("store: No space left on device []\n"), ran.stderr


@pytest.mark.parametrize("packed", ["plain", "gzip"])
def test_a_bomb_leaves_the_disk_to_others(tmp_path: Path, packed: str) -> None:
    bomb = layer(("zeros", {"content": bytes(80 << 20)}))
    written = write_layers(tmp_path / "bomb.tar", "bomb:1", [bomb])
    if packed == "gzip":
        (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(written.path.read_bytes(), 1))
    store = ImageStore(tmp_path / "images", least_free=1 << 60)
    with pytest.raises(RuntimeFailure, match=r"bytes have come out of it, and the disk of .* has less than"):
        store.load(tmp_path / "bomb.tar.gz" if packed == "gzip" else written.path)
    assert list((tmp_path / "images/store").iterdir()) == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"Entrypoint": "train"}, "Entrypoint"),
        ({"Cmd": [1]}, "Cmd"),
        ({"Env": {"A": "1"}}, "Env"),
        ({"User": 0.5}, "User"),
        ({"WorkingDir": ["/"]}, "WorkingDir"),
        ({"Labels": ["a"]}, "Labels"),
        ({"Labels": {"a": 1}}, "Labels"),
    ],
)
def test_a_configuration_of_the_wrong_kind_is_refused(
    store: ImageStore, tmp_path: Path, config: dict[str, object], named: str
) -> None:
    written = write_layers(tmp_path / "odd.tar", "odd:1", [layer(("file", {}))], config=config)
    with pytest.raises(RuntimeFailure, match=f"whose {named} is not of its kind"):
        store.load(written.path)
    assert list(store.images()) == []


def test_documents_nested_without_measure_are_refused(store: ImageStore, tmp_path: Path) -> None:
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout/index.json").write_text("[" * 1_000_000)
    with pytest.raises(RuntimeFailure, match=r"index\.json in the image archive is no JSON"):
        store.load(tmp_path / "layout")


def test_what_a_crash_left_is_swept(store: ImageStore, tmp_path: Path) -> None:
    for name in (".new-dead", ".gone-dead"):
        (tmp_path / "images/store" / name / "rootfs").mkdir(parents=True)
    ImageStore(tmp_path / "images")
    assert list(tmp_path.glob("images/store/.*")) == []


def test_what_somebody_is_at_is_not_swept(tmp_path: Path) -> None:
    stop = threading.Event()

    def sweep_on() -> None:
        while not stop.is_set():
            sweep(tmp_path)

    with ThreadPoolExecutor(2) as threads:
        sweeping = [threads.submit(sweep_on) for _ in range(2)]
        try:
            for number in range(200):
                with fresh_directory(tmp_path) as fresh:
                    (fresh / "part").mkdir()
                    fresh.rename(tmp_path / str(number))
        finally:
            stop.set()
    assert [each.exception() for each in sweeping] == [None, None]
    assert len(list(tmp_path.glob("*/part"))) == 200


def _layout(directory: Path, layers: list[bytes]) -> tuple[str, str]:
    """An OCI layout whose layers are gzipped; the digests of its manifest and of its configuration."""
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)

    def add(content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return f"sha256:{digest}"

    diff_ids = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    configuration = {"architecture": architecture(), "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    identity = add(json.dumps(configuration).encode())
    described = [{"digest": add(gzip.compress(each))} for each in layers]
    manifest = add(json.dumps({"schemaVersion": 2, "config": {"digest": identity}, "layers": described}).encode())
    index = {"manifests": [{"digest": manifest, "annotations": {"io.containerd.image.name": "team/alg:3"}}]}
    (directory / "index.json").write_text(json.dumps(index))
    return manifest, identity
