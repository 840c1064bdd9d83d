"""One file with everything that a home keeps, made while its service runs and jobs change things.

It is a .tar.gz: databases as they were at one moment, the objects that they name, logs, keys and settings; a manifest,
and the SHA-256 of every file. Each database is taken before what it speaks of (state before objects before logs), so
whatever the state calls done is there.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagestone.archive.errors import PackFailed
from sagestone.archive.pack import pack_tree
from sagestone.compose.backup_format import FORMAT, IMAGES, MANIFEST, SUMS, Manifest
from sagestone.compose.home_contents import contents
from sagestone.compose.keys import root_key_file
from sagestone.containers.fresh import fresh_directory, sweep
from sagestone.containers.images.saved import save_images
from sagestone.durable import whole_file
from sagestone.s3.storage.snapshot import snapshot_store
from sagestone.settings import Settings
from sagestone.store.snapshot import snapshot
from sagestone.version import VERSION

#: Told what is being done, and how many bytes of how many (0: not known) are done.
Tell = Callable[[str, int, int], None]


class BackupFailed(Exception):
    """No backup was made; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What went into a backup: files and their bytes, the size of the file, and what could not be taken."""

    path: Path
    files: int
    bytes: int
    packed_bytes: int
    left_out: tuple[str, ...]


def back_up(settings: Settings, target: Path, *, images: bool = False, tell: Tell) -> BackupReport:
    """Write a backup of the settings' home to the new file `target`, whole or not at all.

    `images`: those of the sandbox too. Raises BackupFailed, or OSError when the disk refuses.
    """
    home = settings.home
    if settings.database:  # the home may hold a file of before, which says nothing of today
        raise BackupFailed(
            "the state lies in PostgreSQL (setting database): copy it with pg_dump, and the home beside it"
        )
    if not (home / "state.sqlite3").exists():
        raise BackupFailed(f"{home} holds no state.sqlite3: no service has run there")
    found = contents(home)
    sweep(home)
    left_out = list(found.left_out)
    if not root_key_file(settings).is_relative_to(home):
        left_out.append(
            f"{root_key_file(settings)}, the root key of KMS, which you keep elsewhere: without it no key opens"
        )
    with ExitStack() as stack:
        staged = stack.enter_context(fresh_directory(home))
        roots = [staged]
        tell("copying the state", 0, 0)
        for database in found.databases:
            snapshot(database, _place(staged, home, database))
        for store in found.stores:
            tell(f"listing the objects in {store.relative_to(home)}", 0, 0)
            sweep(store)
            root = stack.enter_context(fresh_directory(store))  # on the blobs' own file system
            place = _place(root, home, store)
            place.mkdir(mode=0o700)
            taken = snapshot_store(store, place)
            left_out += [f"the bytes of object {name}, which were missing" for name in taken.lost]
            roots.append(root)
        for file in found.files:
            _name_again(file, _place(staged, home, file))
        saved = save_images(home / "sandbox" / "images", staged / IMAGES) if images else ()
        manifest = Manifest(format=FORMAT, version=VERSION, made_at=time.time(), images=saved)
        (staged / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        return _pack(roots, target, left_out, tell)


def _pack(roots: list[Path], target: Path, left_out: list[str], tell: Tell) -> BackupReport:
    total = sum(_size(root) for root in roots)
    with whole_file(target, new=True) as file:
        written = 0

        def write(data: bytes) -> None:
            nonlocal written
            file.write(data)
            written += len(data)
            tell("packing", written, total)

        try:
            packed = pack_tree(roots, write, sys.maxsize, sums=SUMS)
        except PackFailed as error:
            raise BackupFailed(f"{error}; try again") from error
    left_out += [f"{each.path}, which {each.reason}" for each in packed.dropped]
    return BackupReport(
        path=target,
        files=packed.files,
        bytes=packed.bytes,
        packed_bytes=packed.packed_bytes,
        left_out=tuple(left_out),
    )


def _place(root: Path, home: Path, path: Path) -> Path:
    """Where a file of the home is staged below `root`; its directory is made."""
    place = root / path.relative_to(home)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def _name_again(file: Path, place: Path) -> None:
    """A further name where that is possible, else a copy; a file that went away meanwhile (a log, by age) is none."""
    try:
        os.link(file, place)
    except FileNotFoundError:
        return
    except OSError:
        place.write_bytes(file.read_bytes())


def _size(root: Path) -> int:
    return sum(file.lstat().st_size for file in root.rglob("*") if file.is_file())
