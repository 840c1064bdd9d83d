"""A file that is there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sagestone.durable import sync_directory


@contextmanager
def complete_file(target: Path) -> Iterator[IO[bytes]]:
    """A file to write to, for its owner only; it gets the name `target` at the end, durably, and never before.

    Raises FileExistsError where something has that name, also when it came meanwhile.
    """
    if target.exists():
        raise _taken(target)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, target)
        except FileExistsError:
            raise _taken(target) from None
        except OSError:  # a file system without further names: nothing keeps two from the same name at once
            Path(name).rename(target)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_directory(target.parent)


def _taken(target: Path) -> FileExistsError:
    return FileExistsError(17, "exists already: no file is written over by a backup", str(target))
