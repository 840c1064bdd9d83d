"""Whether what a home keeps is whole, and what the settings say."""

import ctypes
import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

from sagestone.compose.finding import Finding
from sagestone.compose.home_contents import contents
from sagestone.containers.machine import machine
from sagestone.s3.storage.examine import examine_store
from sagestone.settings import Settings
from sagestone.store.snapshot import complaint
from sagestone.version import VERSION

_LIBRARIES = ("aiohttp", "botocore", "docker", "obstore")
_CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_FEW_INODES = 10_000


def examine_home(settings: Settings) -> list[Finding]:
    """Versions, settings, clock, control groups, inodes, databases and stores; changes nothing."""
    return [
        _examine_versions(),
        _examine_settings(settings),
        _examine_clock(),
        Finding(subject="control groups", level="good", text=f"{machine().cgroups}"),
        *_examine_inodes(settings.home),
        *_examine_kept(settings.home),
    ]


def _examine_versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    text = f"sagestone {VERSION}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}"
    return Finding(subject="versions", level="good", text=f"{text}, {platform.system()} {platform.release()}")


def _examine_settings(settings: Settings) -> Finding:
    """Those that were chosen; secrets only as being there."""
    chosen = []
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if field.name not in ("home", "file_systems") and value != field.default:
            secret = any(word in field.name for word in ("secret", "password", "database", "access_key"))
            chosen.append(f"{field.name} = {'(set)' if secret else value}")
    return Finding(subject="settings", level="good", text=", ".join(chosen) or "all as they come")


def _examine_clock() -> Finding:
    """Signatures of clients are good for a few minutes around their time."""
    buffer = ctypes.create_string_buffer(512)  # struct timex, of zeros: only asks
    try:
        state = ctypes.CDLL(None).adjtimex(buffer)
    except AttributeError:
        return Finding(subject="clock", level="good", text="this system does not say whether it is synchronised")
    if state == _CLOCK_UNSYNCHRONISED:
        text = "not synchronised (NTP): requests are refused when clients' clocks differ by more than 15 minutes"
        return Finding(subject="clock", level="warning", text=text)
    return Finding(subject="clock", level="good", text="synchronised")


def _examine_inodes(home: Path) -> Iterator[Finding]:
    place = next(path for path in (home, *home.parents) if path.exists())
    disk = os.statvfs(place)
    if disk.f_files and disk.f_favail < _FEW_INODES:
        text = f"{disk.f_favail} files can still be made below {place}: jobs need more"
        yield Finding(subject="inodes", level="bad" if disk.f_favail < 100 else "warning", text=text)


def _examine_kept(home: Path) -> Iterator[Finding]:
    if not (home / "state.sqlite3").exists():
        return
    found = contents(home)
    for database in [*found.databases, *(store / "index.sqlite3" for store in found.stores)]:
        yield _examine_database(home, database)
    for store in found.stores:
        yield _examine_store(home, store)


def _examine_database(home: Path, database: Path) -> Finding:
    name = str(database.relative_to(home))
    try:
        wrong = complaint(database)
    except sqlite3.Error as error:
        wrong = str(error)
    if wrong:
        return Finding(subject=name, level="bad", text=f"is damaged: {wrong}; restore it from a backup")
    return Finding(subject=name, level="good", text=f"whole, {database.stat().st_size / 1e6:.1f} MB")


def _examine_store(home: Path, store: Path) -> Finding:
    subject = f"{store.relative_to(home)}/blobs"
    try:
        found = examine_store(store)
    except sqlite3.Error as error:
        return Finding(subject=subject, level="bad", text=f"cannot be compared with its index: {error}")
    if found.lost:
        text = f"{found.lost} of {found.named} are missing: their objects cannot be read; upload or restore them"
        return Finding(subject=subject, level="bad", text=text)
    text = f"{found.named}, all there"
    if found.unnamed:
        text += f"; {found.unnamed} that no object names (yet): `sagestone clean` removes what is left over"
    return Finding(subject=subject, level="good", text=text)
