"""Which version last ran in a home: an older one must not touch what it does not know."""

from pathlib import Path
from typing import Final

import msgspec

from sagestone.compose.runtimes import CannotStart
from sagestone.durable import whole_file
from sagestone.version import VERSION

#: Raised when a home is laid out so that an older version would do harm; databases have steps of their own.
FORMAT: Final = 1

_FILE = "version.json"


def stamp_home(home: Path) -> None:
    """Note that this version runs here now; raises CannotStart for a home of a newer one."""
    path = home / _FILE
    try:
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except FileNotFoundError:
        known = {}
    except msgspec.DecodeError as error:
        raise CannotStart(f"{path} says of no version: {error}; remove it if you know what runs here") from error
    written = known.get("format", 0)
    if not isinstance(written, int) or written > FORMAT:
        raise CannotStart(
            f"{home} was used by Sagestone {known.get('version')} (format {written}), which is newer than this one "
            f"({VERSION}, format {FORMAT}): start that version, or choose another --home"
        )
    wanted: dict[str, object] = {"format": FORMAT, "version": VERSION}
    if known != wanted:
        with whole_file(path) as file:
            file.write(msgspec.json.encode(wanted))
