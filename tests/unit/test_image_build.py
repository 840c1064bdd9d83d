"""Building images: recipes, layers that depend on nothing but their files, archives that engines load."""

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from sagestone.image_build.build import build_image
from sagestone.image_build.layer import write_layer
from sagestone.image_build.recipe import BadRecipe, Recipe, read_recipe


def _recipe(directory: Path, text: str) -> Recipe:
    directory.mkdir(exist_ok=True)
    (directory / "train").write_text("#!/bin/sh\n")
    (directory / "image.toml").write_text(text)
    return read_recipe(directory)


_SMALL = 'name = "small:1"\nentrypoint = ["/train"]\nexecutable = ["/train"]\n[files]\n"/train" = "train"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "not TOML"),
        ('entrypoint = ["x"]', "name"),
        ('name = "x:1"\ncolour = 1', "colour"),
        ('name = "x:1"\n[files]\n"train" = "train"', "absolute"),
        ('name = "x:1"\n[files]\n"/train" = "missing"', "does not exist"),
    ],
)
def test_a_bad_recipe_names_the_file_and_the_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadRecipe, match=words):
        _recipe(tmp_path, text)


def test_a_directory_without_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=r"image\.toml"):
        read_recipe(tmp_path)


def test_a_layer_depends_on_nothing_but_its_files(tmp_path: Path) -> None:
    digests = set()
    for number in range(2):
        root = tmp_path / str(number)
        (root / "opt").mkdir(parents=True)
        (root / "opt" / "b").write_text("b")
        (root / "opt" / "a").write_text("a")
        (root / "link").symlink_to("opt/a")
        os.utime(root / "opt" / "a", (number * 1000, number * 1000))
        digests.add(write_layer(root, tmp_path / f"{number}.tar"))
    assert len(digests) == 1
    with tarfile.open(tmp_path / "0.tar") as tar:
        assert [(member.name, member.mode, member.mtime) for member in tar] == [
            ("link", 0o777, 0),
            ("opt", 0o755, 0),
            ("opt/a", 0o644, 0),
            ("opt/b", 0o644, 0),
        ]


def test_an_archive_holds_what_its_manifest_says(tmp_path: Path) -> None:
    built = build_image(_recipe(tmp_path / "small", _SMALL), tmp_path / "cache", lambda _: None)
    with tarfile.open(built.archive) as tar:
        contents = {member.name: tar.extractfile(member) for member in tar}
        read = {name: file.read() for name, file in contents.items() if file}
    manifest = json.loads(read["manifest.json"])[0]
    config = read[manifest["Config"]]
    assert built.id == f"sha256:{hashlib.sha256(config).hexdigest()}"
    assert manifest["RepoTags"] == ["small:1"]
    layers = [f"sha256:{hashlib.sha256(read[name]).hexdigest()}" for name in manifest["Layers"]]
    assert json.loads(config)["rootfs"]["diff_ids"] == layers
    assert json.loads(config)["config"]["Entrypoint"] == ["/train"]


def test_the_same_recipe_gives_the_same_image_and_another_program_another(tmp_path: Path) -> None:
    first = build_image(_recipe(tmp_path / "small", _SMALL), tmp_path / "one", lambda _: None)
    again = build_image(_recipe(tmp_path / "small", _SMALL), tmp_path / "two", lambda _: None)
    assert first.id == again.id
    (tmp_path / "small" / "train").write_text("#!/bin/sh\nexit 1\n")
    other = build_image(read_recipe(tmp_path / "small"), tmp_path / "one", lambda _: None)
    assert other.id != first.id


def test_requirements_need_a_python_in_the_image(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path / "small", 'name = "x:1"\nrequirements = ["numpy==2.3.5"]\n')
    with pytest.raises(BadRecipe, match="python3"):
        build_image(recipe, tmp_path / "cache", lambda _: None)
