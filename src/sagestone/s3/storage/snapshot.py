"""A store as it is at one moment, made while others write: a copy of the index, and further names of its blobs."""

import errno
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sagestone.s3.storage.file_copy import copy_range
from sagestone.s3.storage.index import Index

_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP}
_NAMES = "SELECT blob FROM object UNION ALL SELECT blob FROM part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How many blobs it has, and the names of those whose bytes were missing in the store itself."""

    blobs: int
    lost: tuple[str, ...]


def snapshot_store(directory: Path, target: Path) -> Snapshot:
    """Make the existing directory `target` a store as that of `directory` is at one moment; raises OSError.

    Writers wait only while the blobs that came in since the first look get their further names. Where the file system
    has no such names (another disk, too many of them) blobs are copied.
    """
    index = Index(directory / "index.sqlite3")
    try:
        names = _Names(directory / "blobs", target / "blobs")
        names.give({row[0] for row in index.rows(_NAMES)})
        lost: set[str] = set()

        def seize(connection: sqlite3.Connection) -> None:
            named = {row[0] for row in connection.execute(_NAMES)}
            lost.update(names.give(named))
            names.keep_only(named)

        index.snapshot(target / "index.sqlite3", seize)
        return Snapshot(blobs=len(names.given), lost=tuple(sorted(lost)))
    finally:
        index.close()


class _Names:
    """Further names of blobs in another directory, laid out as the store's own."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source, self._target = source, target
        self.given: set[str] = set()
        target.mkdir(mode=0o700)

    def give(self, names: set[str]) -> set[str]:
        """Give those that have none yet theirs; those whose bytes are not there."""
        missing = set()
        for name in names - self.given:
            try:
                self._give(name)
            except FileNotFoundError:
                missing.add(name)
            else:
                self.given.add(name)
        return missing

    def keep_only(self, names: set[str]) -> None:
        """Take back what nobody names any more."""
        for name in self.given - names:
            (self._target / name[:2] / name).unlink()
        self.given &= names

    def _give(self, name: str) -> None:
        source, target = self._source / name[:2] / name, self._target / name[:2] / name
        target.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as opened, target.open("xb") as copy:
        copy_range(opened.fileno(), copy.fileno(), os.fstat(opened.fileno()).st_size)
