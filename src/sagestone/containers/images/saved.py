"""The sandbox's images as files of a backup, and back: owners, modes and links inside them are kept."""

import os
import re
import shutil
import tarfile
from pathlib import Path

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.layer import unpack_layer
from sagestone.archive.reader import open_archive
from sagestone.archive.tree import Tree

_ID = re.compile("[0-9a-f]{64}")
_ROOT, _DOCUMENT, _NAMES = "rootfs.tar", "image.json", "names"


def save_images(images: Path, target: Path) -> tuple[str, ...]:
    """Write every image below the store's directory `images` into the new directory `target`; their ids (hex).

    An image that is removed meanwhile is left out. Raises OSError.
    """
    target.mkdir(mode=0o700)
    saved = []
    for image in sorted((images / "store").glob("*") if images.is_dir() else ()):
        if not _ID.fullmatch(image.name):
            continue
        place = target / image.name
        place.mkdir(mode=0o700)
        try:
            shutil.copyfile(image / _DOCUMENT, place / _DOCUMENT)
            with tarfile.open(place / _ROOT, "w", format=tarfile.PAX_FORMAT) as tar:
                tar.add(image / "rootfs", arcname=".")
        except FileNotFoundError:
            shutil.rmtree(place)
            continue
        saved.append(image.name)
    if saved:
        shutil.copytree(images / "names", target / _NAMES, ignore=shutil.ignore_patterns(".*"))
    return tuple(saved)


def load_saved(saved: Path, images: Path) -> None:
    """Make the new store's directory `images` of what `save_images` wrote, which nobody vouches for.

    Raises UnsafeArchive or OSError; what was made by then stays: the caller throws it away.
    """
    store = images / "store"
    store.mkdir(mode=0o700, parents=True)
    images.chmod(0o700)
    for place in sorted(saved.iterdir()):
        if place.name == _NAMES:
            place.rename(images / _NAMES)
            continue
        if not _ID.fullmatch(place.name):
            raise UnsafeArchive(place.name, "is no image's id")
        rootfs = store / place.name / "rootfs"
        rootfs.mkdir(mode=0o755, parents=True)
        (place / _DOCUMENT).rename(store / place.name / _DOCUMENT)
        tree = Tree(rootfs)
        try:
            with open_archive(place / _ROOT) as stream:
                unpack_layer(stream, tree, keep_owners=os.geteuid() == 0)
        finally:
            tree.close()
    shutil.rmtree(saved)
