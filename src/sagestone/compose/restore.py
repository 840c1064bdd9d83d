"""A home made of a backup: all of it is checked before it gets its name, and what ran then ends with a reason."""

import hashlib
import io
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from sagestone.archive.remove import remove_tree
from sagestone.archive.unpack import unpack
from sagestone.compose.backup import Tell
from sagestone.compose.backup_format import FORMAT, IMAGES, MANIFEST, SUMS, Manifest
from sagestone.compose.restored_jobs import end_what_ran
from sagestone.containers.images.saved import load_saved
from sagestone.store.migrations import NewerDatabase

_MOST_FILES = 100_000_000
_CHUNK = 1 << 20


class RestoreFailed(Exception):
    """Nothing was restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What a home was made of: when and by which version the backup was made, and the jobs that ran then."""

    home: Path
    made_at: float
    version: str
    files: int
    bytes: int
    ended_jobs: tuple[str, ...]


def restore(source: Path, home: Path, *, tell: Tell) -> RestoreReport:
    """Make the home, which must not exist or be empty, of the backup `source`, whole or not at all.

    Raises RestoreFailed, UnsafeArchive for an archive that is damaged or reaches outside, OSError.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise RestoreFailed(f"{home} is not empty: restore into a new home, and leave that one as it is")
    home.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}.restoring-"))
    try:
        report = _fill(source, fresh, home, tell)
        os.sync()
        fresh.rename(home)
    except BaseException:
        remove_tree(fresh)
        raise
    return report


def _fill(source: Path, fresh: Path, home: Path, tell: Tell) -> RestoreReport:
    free = shutil.disk_usage(fresh).free
    with source.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        watched = io.BufferedReader(_Watched(file, lambda done: tell("unpacking", done, size)), _CHUNK)
        unpacked = unpack(watched, fresh, max_bytes=free, max_files=_MOST_FILES)
    manifest = _read_manifest(source, fresh)
    _check_sums(fresh, unpacked.bytes, tell)
    for name in (MANIFEST, SUMS):
        (fresh / name).unlink()
    _belong_to_owner(fresh)
    if (fresh / IMAGES).is_dir():
        tell("unpacking images", 0, 0)
        load_saved(fresh / IMAGES, fresh / "sandbox" / "images")
    tell("ending the jobs that ran", 0, 0)
    made_at = datetime.fromtimestamp(manifest.made_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    ended: list[str] = []
    for state in sorted(fresh.rglob("state.sqlite3")):
        try:
            ended += end_what_ran(state, made_at, time.time())
        except NewerDatabase as error:
            raise RestoreFailed(f"the backup cannot be used by this version: {error}") from error
    return RestoreReport(
        home=home,
        made_at=manifest.made_at,
        version=manifest.version,
        files=unpacked.files,
        bytes=unpacked.bytes,
        ended_jobs=tuple(ended),
    )


def _read_manifest(source: Path, fresh: Path) -> Manifest:
    try:
        document = msgspec.json.decode((fresh / MANIFEST).read_bytes(), type=dict[str, object])
        written = int(str(document.get("format")))
    except (OSError, ValueError) as error:
        raise RestoreFailed(f"{source} is no backup of Sagestone: it has no {MANIFEST} that can be read") from error
    if written > FORMAT:
        raise RestoreFailed(
            f"{source} was made by Sagestone {document.get('version')}, whose backups (format {written}) this version "
            f"does not read (format {FORMAT}): restore it with that version"
        )
    try:
        return msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise RestoreFailed(f"{source} is no backup of Sagestone: {MANIFEST}: {error}") from error


def _check_sums(fresh: Path, total: int, tell: Tell) -> None:
    """Every file is as it was packed, none is missing and none came to it; raises RestoreFailed."""
    wanted = dict(_sums(fresh / SUMS))
    done = 0
    for file in fresh.rglob("*"):
        kind = file.lstat().st_mode
        name = str(file.relative_to(fresh))
        if stat.S_ISDIR(kind) or name == SUMS:
            continue
        if not stat.S_ISREG(kind):
            raise RestoreFailed(f"the backup holds {name}, which is no file: nothing that is kept looks so")
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if wanted.pop(name, None) != found:
            raise RestoreFailed(f"the backup is damaged: {name} is not as it was when it was packed")
        done += file.stat().st_size
        tell("checking", done, total)
    if wanted:
        raise RestoreFailed(f"the backup is damaged: {next(iter(wanted))} is missing, and {len(wanted) - 1} more")


def _sums(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for line in lines:
                digest, _, name = line.removesuffix("\n").partition("  ")
                yield name, digest
    except FileNotFoundError:
        raise RestoreFailed(f"the backup is not complete: it has no {SUMS}") from None


def _belong_to_owner(fresh: Path) -> None:
    """Modes as the service makes them; a log that was packed while it was written ends with a whole line."""
    for path in fresh.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
        else:
            path.chmod(0o444 if path.parent.parent.name == "blobs" else 0o600)
            if path.suffix == ".log":
                _cut_to_whole_lines(path)


def _cut_to_whole_lines(log: Path) -> None:
    with log.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        at = end
        while at > 0:
            start = max(0, at - _CHUNK)
            file.seek(start)
            last = file.read(at - start).rfind(b"\n")
            if last >= 0:
                if start + last + 1 < end:
                    file.truncate(start + last + 1)
                return
            at = start
        file.truncate(0)


class _Watched(io.RawIOBase):
    """A file that tells how far it was read."""

    def __init__(self, file: IO[bytes], told: Callable[[int], None]) -> None:
        self._file, self._told, self._done = file, told, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._done += count or 0
        self._told(self._done)
        return count or 0
