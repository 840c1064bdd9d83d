"""What lies in a home: which of it is kept for good, and how each part is to be copied while it is in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: What a home, and each account's directory below `accounts/`, has of its service and its jobs, not of what is kept.
PASSING: Final = frozenset({"jobs", "cache", "sandbox", "service.lock", "service.json"})
_ACCOUNTS = "accounts"
_OF_DATABASES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Databases, stores of objects, files that are replaced or appended to, and what is none of these."""

    databases: tuple[Path, ...]
    stores: tuple[Path, ...]
    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def contents(home: Path) -> Contents:
    """What is kept in a home, its accounts' directories included."""
    databases, stores, files, left_out = [], [], [], []
    for path in _walk(home, home):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            left_out.append(f"{path.relative_to(home)}, which is no file of the service's")
        elif path.is_dir():
            stores.append(path)
        elif path.suffix == ".sqlite3":
            databases.append(path)
        else:
            files.append(path)
    return Contents(databases=tuple(databases), stores=tuple(stores), files=tuple(files), left_out=tuple(left_out))


def _walk(directory: Path, home: Path) -> Iterator[Path]:
    owner = directory == home or directory.parent == home / _ACCOUNTS
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or path.name.endswith(_OF_DATABASES) or (owner and path.name in PASSING):
            continue
        if path.is_symlink() or not path.is_dir() or _is_store(path):
            yield path
        else:
            yield from _walk(path, home)


def _is_store(directory: Path) -> bool:
    return (directory / "index.sqlite3").exists() and (directory / "blobs").is_dir()
