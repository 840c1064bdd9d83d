"""From a recipe to an image archive. Layers are kept by what they are made of, so a second build is quick."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.image_build.archive import Layer, image_id, write_archive
from sagestone.image_build.debian import fetch_packages, unpack_package
from sagestone.image_build.layer import write_layer
from sagestone.image_build.python import compile_modules
from sagestone.image_build.recipe import BadRecipe, Recipe
from sagestone.image_build.wheels import install_wheels

#: Where wheels are put, and found without a search path of their own: Debian's Python looks there.
_SITE_PACKAGES = "usr/lib/python3/dist-packages"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """A built archive: load it into a runtime. `id` is the image's identity."""

    archive: Path
    id: str
    name: str


def build_image(recipe: Recipe, cache: Path, say: Callable[[str], None]) -> BuiltImage:
    """Build the recipe's image into an archive below `cache`; raises BadRecipe."""
    cache.mkdir(parents=True, exist_ok=True)
    layers: list[Layer] = []
    python_version = ""
    if recipe.packages:
        key = _key("packages", sorted(recipe.packages))
        if not (cache / f"{key}.tar").exists():
            packages = fetch_packages(recipe.packages, cache, say)
            _keep_layer(cache, key, lambda root: _lay_packages(packages, root), ())
        layers.append(_kept_layer(cache, key))
        python_version = _python_version(cache, key)
    if recipe.requirements:
        if not python_version:
            raise BadRecipe(f"{recipe.directory}: requirements need a python3 package among packages")
        key = _key("wheels", [python_version, *sorted(recipe.requirements)])
        if not (cache / f"{key}.tar").exists():
            say(f"fetching wheels: {', '.join(recipe.requirements)}")
            requirements, version = recipe.requirements, python_version
            base = layers[0].path
            _keep_layer(cache, key, lambda root: _lay_wheels(requirements, version, base, root), ())
        layers.append(_kept_layer(cache, key))
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        root = Path(scratch) / "root"
        _lay_files(recipe, root)
        path = Path(scratch) / "files.tar"
        digest = write_layer(root, path, recipe.executable)
        kept = cache / f"files-{digest[:32]}.tar"
        path.replace(kept)
        layers.append(Layer(path=kept, digest=digest))
    identity = image_id(recipe, layers)
    archive = cache / f"image-{identity.removeprefix('sha256:')[:32]}.docker.tar"
    if not archive.exists():
        say("writing the image archive")
        write_archive(recipe, layers, archive)
    return BuiltImage(archive=archive, id=identity, name=recipe.name)


def wheel_files(recipe: Recipe, cache: Path) -> Path:
    """The layer archive that holds the recipe's wheels, for reading data that ships inside one of them."""
    python_version = _python_version(cache, _key("packages", sorted(recipe.packages)))
    return cache / f"{_key('wheels', [python_version, *sorted(recipe.requirements)])}.tar"


def _key(kind: str, parts: Sequence[str]) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps([2, *parts]).encode()).hexdigest()[:32]}"


def _keep_layer(cache: Path, key: str, lay: Callable[[Path], None], executable: Sequence[str]) -> None:
    """Make a layer in a scratch directory and keep it under its key; a half-made one is never kept."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        lay(root)
        digest = write_layer(root, Path(scratch) / "layer.tar", executable)
        (cache / f"{key}.digest").write_text(digest)
        pythons = sorted(path.name for path in (root / "usr" / "lib").glob("python3.*"))
        (cache / f"{key}.python").write_text(pythons[0].removeprefix("python") if pythons else "")
        (Path(scratch) / "layer.tar").replace(cache / f"{key}.tar")


def _kept_layer(cache: Path, key: str) -> Layer:
    return Layer(path=cache / f"{key}.tar", digest=(cache / f"{key}.digest").read_text())


def _python_version(cache: Path, key: str) -> str:
    return (cache / f"{key}.python").read_text()


def _lay_packages(packages: Sequence[Path], root: Path) -> None:
    """Unpack packages over a root whose /bin, /lib … are links into /usr, as every current Debian has it."""
    for name in ("bin", "sbin", "lib", "lib64"):
        _made(root / "usr" / name)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        for package in packages:
            unpack_package(package, Path(scratch))
        for name in ("bin", "sbin", "lib", "lib64"):
            if (Path(scratch) / name).is_dir():
                shutil.copytree(Path(scratch) / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
                shutil.rmtree(Path(scratch) / name)
        shutil.copytree(scratch, root, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(root / "usr" / "share", ignore_errors=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for name in ("tmp", "root", "proc", "sys", "dev", "run", "var/tmp", "opt/ml"):
        _made(root / name)
    _made(root / "etc")
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    compile_modules(root, root)
    busybox = root / "usr" / "bin" / "busybox"
    if busybox.exists():
        for applet in ("sh", "cat", "ls", "env", "echo", "sleep", "ps", "mkdir", "rm", "cp", "mv", "tar", "id"):
            link = root / "usr" / "bin" / applet
            if not link.exists():
                link.symlink_to("busybox")


def _lay_wheels(requirements: Sequence[str], python_version: str, base: Path, root: Path) -> None:
    """Install the wheels and compile them with the image's own Python, which is unpacked for it."""
    install_wheels(requirements, python_version, _made(root / _SITE_PACKAGES))
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        subprocess.run(["tar", "-xf", str(base), "-C", scratch], check=True)  # a layer of our own: to be trusted
        compile_modules(Path(scratch), root)


def _lay_files(recipe: Recipe, root: Path) -> None:
    for target, source in sorted(recipe.files.items()):
        place = root / target.lstrip("/")
        _made(place.parent)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place)
    _made(root)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
