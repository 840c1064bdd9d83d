"""The names of images: a directory of small files, each holding the id that its name points to."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

_LONGEST_FILE_NAME = 250
#: How long ago the directory must have changed before what was read of it is believed: file systems' clocks are coarse.
_SETTLED_NANOSECONDS = 100_000_000


class Names:
    """May be used from any thread, and by several processes: a name appears by one rename."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._known: tuple[int, Mapping[str, str]] = (0, {})  # as the directory was, by its time of change

    def all(self) -> Mapping[str, str]:
        """Every name with its id. Read anew whenever the directory has changed: many calls ask for one image."""
        changed = self._directory.stat().st_mtime_ns
        if changed == self._known[0]:
            return self._known[1]
        settled = changed + _SETTLED_NANOSECONDS < time.time_ns()
        names = self._read()
        if settled:
            self._known = (changed, names)
        return names

    def point(self, name: str, identity: str) -> None:
        """Let the name mean that id."""
        fresh = self._directory / f".new-{secrets.token_hex(8)}"
        file = self._file(name)
        fresh.write_text(identity if unquote(file.name) == name else f"{identity}\n{name}")
        fresh.rename(file)

    def remove(self, name: str) -> None:
        """Take a name away; idempotent."""
        self._file(name).unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for entry in self._directory.iterdir():
            if not entry.name.startswith("."):
                try:
                    identity, _, whole = entry.read_text().partition("\n")
                except FileNotFoundError:
                    continue  # removed since it was listed
                names[whole or unquote(entry.name)] = identity
        return names

    def _file(self, name: str) -> Path:
        """The file that holds the id, and the name too when that is too long to be a file's."""
        quoted = quote(name, safe="")
        if len(quoted) > _LONGEST_FILE_NAME:
            quoted = f"{quoted[:100]}-{hashlib.sha256(name.encode()).hexdigest()}"
        return self._directory / quoted
