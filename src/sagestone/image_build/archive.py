"""A docker-archive: what `docker save` writes and every engine loads."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.image_build.recipe import Recipe

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer's file and its sha256 (hex)."""

    path: Path
    digest: str


def image_id(recipe: Recipe, layers: Sequence[Layer]) -> str:
    """The identity an engine gives this image: `sha256:` and the hash of its configuration."""
    return f"sha256:{hashlib.sha256(_configuration(recipe, layers)).hexdigest()}"


def write_archive(recipe: Recipe, layers: Sequence[Layer], target: Path) -> None:
    """Write the archive whole or not at all."""
    config_name = f"{image_id(recipe, layers).removeprefix('sha256:')}.json"
    manifest = [
        {
            "Config": config_name,
            "RepoTags": [recipe.name],
            "Layers": [f"{layer.digest}/layer.tar" for layer in layers],
        }
    ]
    fresh = target.with_name(target.name + ".new")
    with tarfile.open(fresh, mode="w", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, config_name, _configuration(recipe, layers))
        for layer in layers:
            entry = tarfile.TarInfo(f"{layer.digest}/layer.tar")
            entry.size, entry.mode = layer.path.stat().st_size, 0o644
            with layer.path.open("rb") as content:
                tar.addfile(entry, content)
        _add(tar, "manifest.json", json.dumps(manifest, separators=(",", ":")).encode())
    fresh.replace(target)


def _configuration(recipe: Recipe, layers: Sequence[Layer]) -> bytes:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **recipe.environment}
    document = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Entrypoint": list(recipe.entrypoint) or None,
            "WorkingDir": recipe.workdir,
            "Labels": dict(recipe.labels) or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "sagestone image build"} for _ in layers],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
