"""A layer of an image: a tar whose bytes depend on nothing but the files in it."""

import hashlib
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

#: Not needed at run time; leaving it out halves the image.
_LEFT_OUT_DIRECTORIES = frozenset({"tests", "test", "doc", "man", "locale", "info", "lintian"})


def write_layer(root: Path, target: Path, executable: Sequence[str] = ()) -> str:
    """Write the tree as a layer and return its sha256: entries sorted, times 0, owner root.

    Modes are 755 for directories and executables, 644 for the rest. `executable` lists absolute paths in the image
    that must be executable whatever their mode on this machine.
    """
    with target.open("wb") as out, tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in _sorted_tree(root):
            name = str(path.relative_to(root))
            entry = tarfile.TarInfo(name)
            if path.is_symlink():
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
                tar.addfile(entry)
            elif path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
                tar.addfile(entry)
            elif path.is_file():
                runs = f"/{name}" in executable or path.stat().st_mode & 0o111
                entry.size, entry.mode = path.stat().st_size, 0o755 if runs else 0o644
                with path.open("rb") as content:
                    tar.addfile(entry, content)
    with target.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sorted_tree(root: Path) -> list[Path]:
    found: list[Path] = []
    for directory, names, files in os.walk(root):
        here = Path(directory)
        names[:] = sorted(name for name in names if name not in _LEFT_OUT_DIRECTORIES or (here / name).is_symlink())
        found += [here / name for name in names]
        found += [here / name for name in sorted(files)]
    return sorted(found)
