"""The sandbox's images: unpacked root file systems, kept by id, with names that point to them.

Below its directory: `store/<id>/` with `rootfs/` and `image.json`, and `names/<name>`, small files that hold an id. An
image appears by one rename and a name by another, so several processes can use one store and a crash leaves only
`.new-…` directories, which the next opening sweeps.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.layer import unpack_layer
from sagestone.archive.reader import Readable, open_archive
from sagestone.archive.remove import remove_tree
from sagestone.archive.tree import Tree
from sagestone.containers.fresh import fresh_directory, sweep
from sagestone.containers.images.archive import ArchivedImage, archived_images
from sagestone.containers.images.blobs import Blobs, open_blobs
from sagestone.containers.images.name import canonical_tag, read_image_name
from sagestone.containers.images.names import Names
from sagestone.containers.images.room import LEAST_FREE, Room
from sagestone.containers.runtime import Image, ImageNotFound, RuntimeFailure

#: References whose images are remembered; a caller may think up any number.
_RESOLVED = 1000
_ZSTANDARD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image and what is needed to run it."""

    image: Image
    rootfs: Path
    config: Mapping[str, Any]  # Entrypoint, Cmd, Env, WorkingDir, User … as the image has them; may lack any


class ImageStore:
    """See the module. All calls may be made from any thread and process."""

    def __init__(self, directory: Path, *, least_free: int = LEAST_FREE) -> None:
        """Nothing is loaded that would leave less than `least_free` bytes of the disk."""
        self._store, self._least_free = directory / "store", least_free
        for each in (directory, self._store):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._names = Names(directory / "names")
        self._documents: dict[str, dict[str, Any]] = {}  # by id, which says what is in them
        self._resolved: dict[str, tuple[Mapping[str, str], str, StoredImage]] = {}  # by reference: as the names were
        sweep(self._store)

    def load(self, archive: Path) -> list[Image]:
        """Load every image of an OCI layout (directory, tar) or docker archive, gzipped or not.

        All digests are checked. Raises RuntimeFailure with what is wrong; then nothing is added but whole images.
        """
        stem = archive.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
        room = Room(self._store, self._least_free)
        with open_blobs(archive, self._store, room) as blobs:
            try:
                found = archived_images(blobs, stem)
                for image in found:
                    self._add(image, blobs, room)
            except (RuntimeFailure, UnsafeArchive) as error:
                raise RuntimeFailure(f"{archive} cannot be loaded: {error}") from error
            except OSError as error:
                raise RuntimeFailure(f"{archive} cannot be unpacked into {self._store}: {error.strerror}") from error
        for image in found:
            for name in image.names:
                self._names.point(name, _hex(image.id))
        return [self.resolve(image.id).image for image in found]

    def resolve(self, reference: str) -> StoredImage:
        """The image of a tag (`:latest` when it has none), digest, `name@digest` or id; raises ImageNotFound."""
        names = self._names.all()
        known = self._resolved.get(reference)
        if known is not None and known[0] is names and os.path.exists(known[1]):  # noqa: PTH110 (asked at every Create)
            return known[2]
        found = self._resolve(reference, names)
        if len(self._resolved) >= _RESOLVED:
            self._resolved.clear()
        self._resolved[reference] = (names, f"{found.rootfs.parent}/image.json", found)
        return found

    def _resolve(self, reference: str, names: Mapping[str, str]) -> StoredImage:
        wanted = read_image_name(reference)
        if wanted is None:
            raise ImageNotFound(f"{reference!r} is no image name")
        pointed = names.get(wanted.tagged or "")
        found = self._read(pointed, names) if pointed else None
        if found:
            return found
        for identity in self._ids():
            if wanted.id_prefix and not identity.startswith(wanted.id_prefix):
                continue
            found = self._read(identity, names)
            if found and (wanted.id_prefix or wanted.digest in (found.image.id, found.image.digest)):
                return found
        raise ImageNotFound(f"there is no image {reference} here; `sagestone image list` shows those that are loaded")

    def images(self) -> Iterator[Image]:
        """Every image."""
        names = self._names.all()
        for identity in self._ids():
            found = self._read(identity, names)
            if found:
                yield found.image

    def loaded_at(self, identity: str) -> float:
        """When the image of that id was unpacked here (epoch seconds); now, where there is none."""
        try:
            return (self._store / _hex(identity) / "image.json").stat().st_mtime
        except FileNotFoundError:
            return time.time()

    def tag(self, reference: str, name: str) -> None:
        """Give an image one more name; raises ImageNotFound or RuntimeFailure."""
        tagged = canonical_tag(name)
        if tagged is None:
            raise RuntimeFailure(f"{name!r} cannot be an image's name")
        self._names.point(tagged, _hex(self.resolve(reference).image.id))

    def remove(self, reference: str) -> None:
        """Take a name away, and with its last name, or when meant by digest or id, the image; raises ImageNotFound."""
        found = self.resolve(reference).image
        names = [name for name, identity in self._names.all().items() if f"sha256:{identity}" == found.id]
        tagged = canonical_tag(reference)
        tags = [name for name in names if "@" not in name]
        going = [tagged] if tagged in tags and len(tags) > 1 else names
        for name in going:
            self._names.remove(name)
        if going == names:
            gone = self._store / f".gone-{secrets.token_hex(8)}"
            try:
                (self._store / _hex(found.id)).rename(gone)
            except FileNotFoundError:
                return  # somebody else removed it
            remove_tree(gone)

    def last_name(self, reference: str) -> bool:
        """Whether `remove` would take the image itself away; raises ImageNotFound."""
        tags = [name for name in self.resolve(reference).image.names if "@" not in name]
        return canonical_tag(reference) not in tags or len(tags) == 1

    def _add(self, image: ArchivedImage, blobs: Blobs, room: Room) -> None:
        target = self._store / _hex(image.id)
        if target.is_dir():
            return
        with fresh_directory(self._store) as fresh:
            rootfs = fresh / "rootfs"
            rootfs.mkdir(mode=0o755)
            size = _unpack_layers(image, blobs, rootfs, room)
            document = {"id": image.id, "digest": image.digest, "size": size, "configuration": image.configuration}
            (fresh / "image.json").write_text(json.dumps(document))
            try:
                fresh.rename(target)
            except OSError:
                if not target.is_dir():  # else somebody else was faster
                    raise

    def _read(self, identity: str, names: Mapping[str, str]) -> StoredImage | None:
        document = self._document(identity)
        if document is None:
            return None  # removed since it was listed
        configuration = document["configuration"]
        config = configuration.get("config") or {}
        image = Image(
            names=tuple(sorted(name for name, pointed in names.items() if pointed == identity)),
            digest=document["digest"],
            id=document["id"],
            architecture=configuration.get("architecture", ""),
            size_bytes=document["size"],
            created=configuration.get("created") or "",
            labels=config.get("Labels") or {},
        )
        return StoredImage(image=image, rootfs=self._store / identity / "rootfs", config=config)

    def _document(self, identity: str) -> dict[str, Any] | None:
        """What `_add` wrote of an image that is there."""
        file = self._store / identity / "image.json"
        known = self._documents.get(identity)
        if known is not None and file.exists():
            return known
        self._documents.pop(identity, None)
        try:
            document: dict[str, Any] = json.loads(file.read_text())
        except FileNotFoundError:
            return None
        self._documents[identity] = document
        return document

    def _ids(self) -> list[str]:
        return sorted(entry.name for entry in self._store.iterdir() if not entry.name.startswith("."))


def _unpack_layers(image: ArchivedImage, blobs: Blobs, rootfs: Path, room: Room) -> int:
    size = 0
    tree = Tree(rootfs)
    try:
        for path, digest in image.layers:
            with blobs.open(path) as compressed:
                if compressed.peek(4)[:4] == _ZSTANDARD:  # type: ignore[attr-defined]
                    raise RuntimeFailure(f"layer {digest} is compressed with zstd: save the image with gzip instead")
                with open_archive(compressed) as stream:
                    hashing = _Hashing(stream, room)
                    size += unpack_layer(hashing, tree, keep_owners=os.geteuid() == 0)
            if hashing.digest() != digest:
                raise RuntimeFailure(f"layer {digest} is damaged: its digest is {hashing.digest()}")
    finally:
        tree.close()
    return size


class _Hashing:
    """A stream that knows the sha256 of what was read from it, and that there is room for it."""

    def __init__(self, stream: Readable, room: Room) -> None:
        self._stream, self._room = stream, room
        self._hash = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._room.take(len(data))
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _hex(identity: str) -> str:
    return identity.removeprefix("sha256:")
