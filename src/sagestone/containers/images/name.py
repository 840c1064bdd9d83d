"""How images are referred to: `name`, `name:tag`, `name@sha256:…`, a digest or an id. Pure."""

import re
from dataclasses import dataclass

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{12,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[A-Za-z0-9._-]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

#: What Docker takes to be there when a name begins with no registry.
_DEFAULT_REGISTRIES = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/", "localhost/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """A reference, taken apart; at least one member is set."""

    tagged: str | None = None  # repository:tag, the registry left out where it is the default
    digest: str | None = None  # sha256:<64 hex>: of a manifest or a configuration
    id_prefix: str | None = None  # hex digits


def read_image_name(reference: str) -> ImageName | None:
    """What a reference asks for; None when it is none."""
    if _DIGEST.fullmatch(reference):
        return ImageName(digest=reference)
    name, at, digest = reference.partition("@")
    if at:
        if not _DIGEST.fullmatch(digest) or not name:
            return None
        return ImageName(digest=digest)  # the digest says it all: a tag before it may have moved since
    tagged = _tagged(name)
    id_prefix = name if _ID.fullmatch(name) else None
    return ImageName(tagged=tagged, id_prefix=id_prefix) if tagged or id_prefix else None


def canonical_tag(reference: str) -> str | None:
    """`repository:tag` in the one form in which tags are compared; None when it cannot name an image."""
    return None if "@" in reference else _tagged(reference)


def repository(tagged: str) -> str:
    """The name without its tag."""
    name, colon, tag = tagged.rpartition(":")
    return name if colon and "/" not in tag else tagged


def _tagged(name: str) -> str | None:
    for registry in _DEFAULT_REGISTRIES:
        if name.startswith(registry):
            name = name.removeprefix(registry)
            break
    before, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # a colon before a slash belongs to a registry's port
        before, tag = name, "latest"
    return f"{before}:{tag}" if _NAME.fullmatch(before) and _TAG.fullmatch(tag) else None
