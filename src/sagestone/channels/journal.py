"""What an agent fetched whole, so that one that replaces it need not fetch it again.

One line of JSON for each file, `[path, etag, size]`, written when the file is complete; the first line names the boot
of the machine. What a killed process wrote is there; after a power failure that is not sure, and nothing is believed.
"""

import contextlib
import os
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import msgspec

from sagestone.channels.directory import ChannelDirectory
from sagestone.s3.client import SourceObject

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Journal:
    """The journal of one channel. `note` may be called from any thread, also after `close`; the rest from one."""

    def __init__(self, path: Path, directory: ChannelDirectory) -> None:
        """Take up the journal at `path`, and remove from the directory every file that it does not vouch for."""
        self._directory = directory
        self._lock = threading.Lock()
        self._known = {} if not path.exists() else _read(path)
        _remove_unknown(directory, self._known)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | (0 if self._known else os.O_TRUNC)
        # Known as an object, which knows when it is closed: the number is another file's then.
        self._file = os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)
        # A line that was left half written ends here; a new journal begins with the boot.
        self._file.write(b"\n" if self._known else msgspec.json.encode([_boot()]) + b"\n")

    def take(self, path: str, found: SourceObject) -> Literal["whole", "other", "absent"]:
        """Whether exactly that object is there already, another one is, or none. A path is there once."""
        known = self._known.pop(_digest(path), None)
        if known is None:
            return "absent"
        return "whole" if known[0] == _identity(found.etag, found.size) else "other"

    def note(self, path: str, found: SourceObject) -> None:
        """That file is whole. A closed journal notes nothing: downloads that were given up still come to their end."""
        line = msgspec.json.encode([path, found.etag, found.size]) + b"\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(line)

    def remove_rest(self) -> None:
        """Remove the files of objects that were not taken: they are no longer part of the channel."""
        if self._known:
            gone = [path for path, _ in self._directory.sizes() if _digest(path) in self._known]
            for path in gone:
                self._directory.remove(path)
            self._known.clear()

    def close(self) -> None:
        """Note nothing more; idempotent."""
        with self._lock, contextlib.suppress(OSError):
            self._file.close()


def _read(path: Path) -> dict[int, tuple[int, int]]:
    """Identity and size of each whole file by the digest of its path: as much memory, however long the names."""
    known: dict[int, tuple[int, int]] = {}
    with path.open("rb") as file:
        if file.readline() != msgspec.json.encode([_boot()]) + b"\n":
            return {}
        for line in file:
            try:
                name, etag, size = msgspec.json.decode(line, type=tuple[str, str, int])
            except (msgspec.DecodeError, UnicodeDecodeError):  # cut off when its writer was killed
                continue
            known[_digest(name)] = (_identity(etag, size), size)
    return known


def _remove_unknown(directory: ChannelDirectory, known: dict[int, tuple[int, int]]) -> None:
    present: set[int] = set()
    unknown: list[str] = []
    for path, size in directory.sizes():
        digest = _digest(path)
        if known.get(digest, (0, -1))[1] == size >= 0:
            present.add(digest)
        else:
            unknown.append(path)
    for path in unknown:
        directory.remove(path)
    for digest in known.keys() - present:
        del known[digest]


def _digest(path: str) -> int:
    return int.from_bytes(blake2b(path.encode(errors="surrogateescape"), digest_size=8).digest())


def _identity(etag: str, size: int) -> int:
    return _digest(f"{size} {etag}")


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
