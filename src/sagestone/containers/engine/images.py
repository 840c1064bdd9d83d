"""Images that an engine holds or can fetch: by tag, name@digest, digest or id."""

import base64
import gzip
import json
import lzma
import re
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from sagestone.containers.engine.http import EngineHttp, EngineRefused, EngineUnreachable
from sagestone.containers.runtime import Image, ImageNotFound, RuntimeFailure

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SILENCE = 120.0  # seconds without a word from an engine that pulls
_PULL_LIMIT = 3600.0


class EngineImages:
    """The images of one engine."""

    def __init__(self, http: EngineHttp, *, pull: bool = True) -> None:
        self._http = http
        self._pull_allowed = pull

    def image(self, reference: str) -> Image:
        """The image of that reference, pulled when the engine does not hold it; raises ImageNotFound."""
        found = self._held(reference)
        if found is None:
            if _DIGEST.fullmatch(reference):
                raise ImageNotFound(f"no image {reference} here: load or pull it by its name first")
            if not self._pull_allowed:
                raise ImageNotFound(f"no image {reference} here")
            self._pull(reference)
            found = self._held(reference)
        if found is None:
            raise ImageNotFound(f"image {reference} was pulled, but the engine does not show it")
        return _image(found, reference)

    def images(self) -> Iterator[Image]:
        """Every image that has a name or a digest of a registry."""
        for entry in self._http.get("/images/json"):
            document = self._inspect(entry["Id"])
            if document is not None:
                yield _image(document, "")

    def load(self, path: Path) -> list[Image]:
        """Load an archive as `docker save` writes it, also compressed; the images it holds."""
        said: list[str] = []
        try:
            with (
                _unpacked(path) as archive,
                self._http.stream(
                    "POST",
                    "/images/load",
                    body=archive,
                    headers={"Content-Type": "application/x-tar"},
                    timeout=_SILENCE * 5,
                    quiet=True,
                ) as pieces,
            ):
                for message in _messages(pieces):
                    if message.get("error"):
                        raise EngineRefused(500, str(message["error"]))
                    said.append(str(message.get("stream", "")).strip())
        except EngineRefused as refusal:
            raise RuntimeFailure(f"{path} could not be loaded: {refusal.text}") from refusal
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            raise RuntimeFailure(f"{path} is cut off or damaged: {error}") from error
        except OSError as error:
            raise RuntimeFailure(f"{path} cannot be read: {error.strerror or error}") from error
        names = [name for line in said for name in _loaded_names(line)]
        if not names:
            words = " ".join(said) or "it said nothing"
            raise RuntimeFailure(f"{path} holds no image that the engine would load: {words}")
        return list({image.id: image for image in map(self.image, names)}.values())

    def remove(self, reference: str) -> None:
        """Remove the image of that name or id; raises ImageNotFound, or RuntimeFailure when a container uses it."""
        try:
            self._http.delete(f"/images/{reference}")
        except EngineRefused as refusal:
            if refusal.status == 404:
                raise ImageNotFound(f"no image {reference} here") from refusal
            raise RuntimeFailure(f"image {reference} could not be removed: {refusal.text}") from refusal

    def _held(self, reference: str) -> dict[str, Any] | None:
        document = self._inspect(reference)
        if document is not None:
            return document
        name, _, digest = reference.rpartition("@")
        digest = digest if name else reference
        if not _DIGEST.fullmatch(digest):
            return None
        by_id = self._inspect(digest)
        if by_id is not None and (not name or _repository(name) in map(_repository, _names(by_id))):
            return by_id  # a loaded image: its id stands for the digest that only a registry gives
        for entry in self._http.get("/images/json"):
            if any(known.endswith("@" + digest) for known in entry.get("RepoDigests") or ()):
                return self._inspect(entry["Id"])
        return None

    def _inspect(self, reference: str) -> dict[str, Any] | None:
        try:
            document: dict[str, Any] = self._http.get(f"/images/{reference}/json")
        except EngineRefused as refusal:
            if refusal.status in (400, 404) or "no such image" in refusal.text.lower():
                return None
            raise
        return document

    def _pull(self, reference: str) -> None:
        name, tag = _split(reference)
        deadline = time.monotonic() + _PULL_LIMIT
        try:
            with self._http.stream(
                "POST",
                "/images/create",
                headers=_credentials(name),
                timeout=_SILENCE,
                fromImage=name,
                tag=tag,
            ) as pieces:
                for message in _messages(pieces):
                    if message.get("error"):
                        raise EngineRefused(500, str(message["error"]))
                    if time.monotonic() > deadline:
                        raise EngineRefused(500, f"not finished after {_PULL_LIMIT:.0f} s")
        except EngineRefused as refusal:
            raise ImageNotFound(f"no image {reference} here, and it could not be pulled: {refusal.text}") from refusal
        except EngineUnreachable as failure:
            raise ImageNotFound(f"no image {reference} here, and pulling it came to a stop: {failure}") from failure


def check_architecture(image: Image, engine: str) -> None:
    """Refuse an image for another processor than the engine's, unless an emulator is registered for it."""
    if not image.architecture or not engine or image.architecture == engine:
        return
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(image.architecture, image.architecture)
    if sys.platform == "darwin" or Path(f"/proc/sys/fs/binfmt_misc/qemu-{machine}").exists():
        return
    name = image.names[0] if image.names else image.id
    raise RuntimeFailure(
        f"image {name} is for {image.architecture}, but this engine runs {engine}: build or pull it for {engine}"
    )


def _loaded_names(line: str) -> list[str]:
    """The names or ids in an engine's word of success; Podman puts all of them in one line."""
    match = re.search(r"Loaded image(?: ID)?(?:\(s\))?: *(.+)", line)
    return [name.strip() for name in match[1].split(",") if name.strip()] if match else []


def _unpacked(path: Path) -> IO[bytes]:
    """The tar itself: Podman's service takes no compressed one."""
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(path))
    return lzma.open(path) if magic == b"\xfd7zXZ\0" else path.open("rb")


def _image(document: dict[str, Any], reference: str) -> Image:
    identity = "sha256:" + document["Id"].removeprefix("sha256:")
    config = document.get("Config") or {}
    return Image(
        names=tuple(_names(document)),
        digest=_digest(document, reference) or identity,
        id=identity,
        architecture=document.get("Architecture") or "",
        size_bytes=document.get("Size") or 0,
        created=document.get("Created") or "",
        labels=config.get("Labels") or {},
    )


def _digest(document: dict[str, Any], reference: str) -> str | None:
    """The registry's digest: the one asked for, else that of the same repository, else any of a registry."""
    known = [name.rpartition("@") for name in document.get("RepoDigests") or ()]
    # Podman invents such a digest for images that no registry has seen; their names begin with localhost/.
    digests = [(_repository(name), digest) for name, _, digest in known if not name.startswith("localhost/")]
    asked = reference.rpartition("@")[2]
    if any(digest == asked for _, digest in digests):
        return asked
    same = [digest for name, digest in digests if reference and name == _repository(reference)]
    return str((same or [digest for _, digest in digests])[0]) if digests else None


def _names(document: dict[str, Any]) -> list[str]:
    return [
        name
        for name in [*(document.get("RepoTags") or ()), *(document.get("RepoDigests") or ())]
        if "<none>" not in name
    ]


def _split(reference: str) -> tuple[str, str]:
    """Name and tag or digest of a reference; no tag means `latest`."""
    name, at, digest = reference.partition("@")
    if at:
        return _without_tag(name), digest
    bare = _without_tag(reference)
    return bare, reference[len(bare) + 1 :] or "latest"


def _without_tag(name: str) -> str:
    before, colon, tag = name.rpartition(":")
    return before if colon and "/" not in tag else name


def _repository(reference: str) -> str:
    """The repository of a name without what engines add or leave out: localhost/, docker.io/, library/."""
    name = _without_tag(reference.partition("@")[0])
    for prefix in ("localhost/", "docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name


def _credentials(name: str) -> dict[str, str]:
    """What the user's `docker login` left for that registry, also through a credential helper."""
    from docker import auth  # 0.4 s to import, and only a pull needs it

    registry, _ = auth.resolve_repository_name(name)
    found = auth.load_config().resolve_authconfig(registry)
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(found).encode()).decode()} if found else {}


def _messages(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """JSON documents, one a line, that an engine sends while it works."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
    if rest.strip():
        yield json.loads(rest)
