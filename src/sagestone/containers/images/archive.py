"""What an image archive holds: OCI image layouts and what `docker save` writes, read into one form."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.containers.images.blobs import Blobs, read_document
from sagestone.containers.images.name import canonical_tag, repository
from sagestone.containers.machine import architecture
from sagestone.containers.runtime import RuntimeFailure

_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedImage:
    """One image of an archive; its layers are still in there."""

    id: str  # sha256 of the configuration
    digest: str  # of the registry's manifest where the archive has it, else the id
    names: tuple[str, ...]
    configuration: Mapping[str, Any]
    layers: tuple[tuple[str, str], ...]  # (path in the archive, sha256:… of the uncompressed tar), lowest first


def archived_images(blobs: Blobs, stem: str) -> list[ArchivedImage]:
    """The images of an archive; `stem` names an image that has only a tag. Raises RuntimeFailure with what is wrong."""
    if blobs.has("manifest.json"):
        return list(_docker_images(blobs))
    if blobs.has("index.json"):
        return list(_layout_images(blobs, stem))
    raise RuntimeFailure(
        "it is no image archive: it has neither manifest.json (as `docker save` writes) nor index.json (OCI layout)"
    )


def _docker_images(blobs: Blobs) -> Iterator[ArchivedImage]:
    entries = _json(read_document(blobs, "manifest.json"), "manifest.json")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuntimeFailure("manifest.json in the image archive is no list of images")
    for entry in entries:
        path = str(entry.get("Config", ""))
        content = read_document(blobs, path)
        stated = path.rpartition("/")[2].removesuffix(".json")
        identity = _identity(content, f"sha256:{stated}" if _HEX.fullmatch(stated) else None, path)
        names = tuple(filter(None, (canonical_tag(str(name)) for name in entry.get("RepoTags") or [])))
        yield _image(content, identity, identity, names, [str(layer) for layer in entry.get("Layers") or []])


def _layout_images(blobs: Blobs, stem: str) -> Iterator[ArchivedImage]:
    index = _json(read_document(blobs, "index.json"), "index.json")
    for descriptor in _manifests(index, "index.json"):
        digest = str(descriptor.get("digest"))
        manifest = _blob(blobs, digest)
        if manifest.get("mediaType", descriptor.get("mediaType")) in _INDEXES:
            digest, manifest = _chosen(blobs, manifest, digest)
        identity = str(manifest.get("config", {}).get("digest"))
        content = read_document(blobs, _path(identity))
        name = _layout_name(descriptor.get("annotations") or {}, stem)
        names = (name, f"{repository(name)}@{digest}") if name else ()
        layers = [_path(str(layer.get("digest"))) for layer in manifest.get("layers") or []]
        yield _image(content, _identity(content, identity, identity), digest, names, layers)


def _chosen(blobs: Blobs, index: dict[str, Any], digest: str) -> tuple[str, dict[str, Any]]:
    """Of an image for several processors, the one for this machine."""
    offered: list[str] = []
    for descriptor in _manifests(index, digest):
        platform = descriptor.get("platform") or {}
        offered.append(f"{platform.get('os')}/{platform.get('architecture')}")
        if offered[-1] == f"linux/{architecture()}":
            return str(descriptor["digest"]), _blob(blobs, str(descriptor["digest"]))
    raise RuntimeFailure(
        f"the image is for {', '.join(offered) or 'nothing'}, but this machine is linux/{architecture()}"
    )


def _layout_name(annotations: Mapping[str, str], stem: str) -> str | None:
    full = annotations.get("io.containerd.image.name")
    if full:
        return canonical_tag(full)
    name = annotations.get("org.opencontainers.image.ref.name")
    if not name:
        return None
    return canonical_tag(name if ":" in name or "/" in name else f"{stem}:{name}")


def _image(content: bytes, identity: str, digest: str, names: tuple[str, ...], layers: list[str]) -> ArchivedImage:
    configuration = _json(content, "the image configuration")
    rootfs = configuration.get("rootfs") if isinstance(configuration, dict) else None
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(layers):
        raise RuntimeFailure(f"image {identity} has {len(layers)} layers, but its configuration lists others")
    if not all(_DIGEST.fullmatch(str(diff_id)) for diff_id in diff_ids):
        raise RuntimeFailure(f"image {identity} has a layer whose digest is not sha256")
    wrong = _wrong_member(configuration)
    if wrong is not None:
        raise RuntimeFailure(f"image {identity} has a configuration whose {wrong} is not of its kind")
    if configuration.get("os", "linux") != "linux":
        raise RuntimeFailure(f"image {identity} is for {configuration['os']}, not for linux")
    return ArchivedImage(
        id=identity,
        digest=digest,
        names=names,
        configuration=configuration,
        layers=tuple(zip(layers, map(str, diff_ids), strict=True)),
    )


def _wrong_member(configuration: dict[str, Any]) -> str | None:
    """The first member that is there and not what it must be: it would be met again whenever images are looked at."""
    config = configuration.get("config")
    if config is not None and not isinstance(config, dict):
        return "config"
    texts = [(name, configuration.get(name)) for name in ("architecture", "os", "created")]
    texts += [(name, (config or {}).get(name)) for name in ("WorkingDir", "User")]
    for name in ("Entrypoint", "Cmd", "Env"):
        many = (config or {}).get(name)
        texts += [(name, each) for each in many] if isinstance(many, list) else [(name, many and 1)]
    labels = (config or {}).get("Labels")
    texts += [("Labels", each) for each in labels.values()] if isinstance(labels, dict) else [("Labels", labels and 1)]
    return next((name for name, value in texts if value is not None and not isinstance(value, str)), None)


def _identity(content: bytes, stated: str | None, path: str) -> str:
    identity = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if stated is not None and identity != stated:
        raise RuntimeFailure(f"{path} in the image archive is damaged: its digest is {identity}")
    return identity


def _manifests(index: object, where: str) -> list[dict[str, Any]]:
    manifests = index.get("manifests") if isinstance(index, dict) else None
    if not isinstance(manifests, list) or not all(isinstance(entry, dict) for entry in manifests):
        raise RuntimeFailure(f"{where} in the image archive lists no manifests")
    return manifests


def _blob(blobs: Blobs, digest: str) -> dict[str, Any]:
    content = read_document(blobs, _path(digest))
    _identity(content, digest, _path(digest))
    document = _json(content, digest)
    if not isinstance(document, dict):
        raise RuntimeFailure(f"{digest} in the image archive is no manifest")
    return document


def _path(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise RuntimeFailure(f"the image archive names a blob by {digest!r}, which is no sha256 digest")
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _json(content: bytes, where: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RuntimeFailure(f"{where} in the image archive is no JSON: {error}") from error
