"""The promises of `sagestone.containers.runtime` about images and archives, on all implementations."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from sagestone.containers.runtime import Exit, ImageNotFound, RuntimeFailure
from tests.contract.runtimes import IMAGE, MADE, Bench
from tests.images import script, write_archive


class TestRuntimeImages:
    """Loading, naming, using and removing images."""

    @pytest.mark.parametrize("compressed", [False, True])
    def test_loads_lists_and_removes_an_archive(self, bench: Bench, tmp_path: Path, compressed: bool) -> None:
        name = f"{MADE}loaded:2"
        written = write_archive(tmp_path / "plain.tar", name, {"/train": script("true")}, labels={"team": "a b"})
        archive = tmp_path / "packed.tar.gz" if compressed else written.path
        if compressed:
            archive.write_bytes(gzip.compress(written.path.read_bytes(), 1))
        (image,) = bench.runtime.load_archive(archive)
        assert (image.id, image.digest) == (written.id, written.id)
        assert any(name in known for known in image.names)
        assert image.labels == {"team": "a b"}
        assert image.size_bytes > 100_000
        assert image.id in [held.id for held in bench.runtime.images()]
        bench.runtime.remove_image(name)
        assert image.id not in [held.id for held in bench.runtime.images()]
        with pytest.raises(ImageNotFound, match=name):
            bench.runtime.remove_image(name)

    def test_loading_again_changes_nothing(self, bench: Bench) -> None:
        first = bench.load("twice", {"/train": script("true")})
        assert bench.load("twice", {"/train": script("true")}) == first
        assert [held.id for held in bench.runtime.images()].count(first.id) == 1

    def test_a_name_moves_and_the_digest_stays(self, bench: Bench) -> None:
        old = bench.load("moves", {"/version": b"1"})
        new = bench.load("moves", {"/version": b"2"})
        assert old.id != new.id
        assert bench.runtime.image(f"{MADE}moves:1").id == new.id
        container = bench.create(["cat", "/version"], image=old.id)
        bench.runtime.start(container)
        assert bench.ended(container) == Exit(code=0)
        assert bench.output(container).stdout == b"1"
        bench.runtime.remove(container)
        bench.runtime.remove_image(old.digest)
        with pytest.raises(ImageNotFound):
            bench.runtime.image(old.digest)
        assert bench.runtime.image(f"{MADE}moves:1").id == new.id

    def test_an_archive_that_is_none_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "junk.tar").write_bytes(b"nonsense" * 1000)
        (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(b"nonsense" * 1000)[:-20])
        with tarfile.open(tmp_path / "other.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo("readme"), io.BytesIO())
        for name in ("junk.tar", "cut.tar.gz", "other.tar", "missing.tar"):
            with pytest.raises(RuntimeFailure, match=name.replace(".", r"\.")):
                bench.runtime.load_archive(tmp_path / name)

    def test_a_layer_that_is_not_what_its_digest_says_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        written = write_archive(tmp_path / "right.tar", f"{MADE}damaged:1", {"/data": b"1" * 1000})
        (tmp_path / "damaged.tar").write_bytes(written.path.read_bytes().replace(b"1" * 1000, b"2" * 1000))
        with pytest.raises(RuntimeFailure, match=r"damaged\.tar"):
            bench.runtime.load_archive(tmp_path / "damaged.tar")
        with pytest.raises(ImageNotFound):
            bench.runtime.image(written.id)

    def test_an_image_for_another_processor_is_refused(self, bench: Bench) -> None:
        image = bench.load("s390x", {}, architecture="s390x")
        assert image.architecture == "s390x"
        with pytest.raises(RuntimeFailure, match=r"is for s390x, but this (engine runs|machine is)"):
            bench.create(["true"], image=image.digest)
        assert bench.runtime.find(bench.labels) == []

    def test_an_image_that_is_used_is_not_removed(self, bench: Bench) -> None:
        bench.start("sleep 60")
        with pytest.raises(RuntimeFailure, match=r"could not be removed|in use"):
            bench.runtime.remove_image(bench.runtime.image(IMAGE).id)
        assert bench.runtime.image(IMAGE)
