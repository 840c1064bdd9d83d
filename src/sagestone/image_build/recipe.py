"""The recipe of an image: `image.toml` beside the files it names."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BadRecipe(Exception):
    """A recipe that cannot be read; the text names the file, the key and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What goes into an image, and how it starts.

    `packages` are Debian packages (with what they depend on), `requirements` pins of Python wheels, `files` maps a path
    in the image to a file or directory beside the recipe.
    """

    directory: Path
    name: str
    packages: Sequence[str]
    requirements: Sequence[str]
    files: Mapping[str, Path]
    entrypoint: Sequence[str]
    environment: Mapping[str, str]
    workdir: str
    executable: Sequence[str]
    labels: Mapping[str, str]


_KEYS = {"name", "packages", "requirements", "files", "entrypoint", "environment", "workdir", "executable", "labels"}


def read_recipe(directory: Path) -> Recipe:
    """Read `directory/image.toml`; raises BadRecipe."""
    path = directory / "image.toml"
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise BadRecipe(f"{path} does not exist: an image is built from a directory with an image.toml") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRecipe(f"{path} is not TOML: {error}") from error
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise BadRecipe(f"{path}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    if not isinstance(document.get("name"), str):
        raise BadRecipe(f"{path}: name = 'REPOSITORY:TAG' is missing")
    files: dict[str, Path] = {}
    for target, source in document.get("files", {}).items():
        if not target.startswith("/"):
            raise BadRecipe(f"{path}: files.{target}: the path in the image must be absolute")
        files[target] = directory / source
        if not files[target].exists():
            raise BadRecipe(f"{path}: files.{target}: {files[target]} does not exist")
    return Recipe(
        directory=directory,
        name=document["name"],
        packages=document.get("packages", []),
        requirements=document.get("requirements", []),
        files=files,
        entrypoint=document.get("entrypoint", []),
        environment=document.get("environment", {}),
        workdir=document.get("workdir", "/"),
        executable=document.get("executable", []),
        labels=document.get("labels", {}),
    )
