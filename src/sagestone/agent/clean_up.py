"""Removes what a container left behind, however it is built."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any


def remove_tree(root: Path) -> None:
    """Remove a directory with everything in it; links are not followed and a missing one is no error.

    Directories that their owner made unreadable are opened up first; trees too deep for Python go to `rm`. Raises
    OSError when something stays.
    """
    try:
        shutil.rmtree(root, onerror=_open_up)
    except FileNotFoundError:
        return
    except (RecursionError, OSError):
        subprocess.run(["rm", "-rf", "--", os.fspath(root)], check=False, stderr=subprocess.DEVNULL)
        if root.exists():
            raise


def _open_up(function: Callable[..., Any], path: str, cause: tuple[Any, BaseException, Any]) -> None:
    """What rmtree calls when something could not be removed: make its directory writable, then once more."""
    error = cause[1]
    if isinstance(error, FileNotFoundError):
        return
    if not isinstance(error, PermissionError):
        raise error
    for directory in (Path(path).parent, Path(path)):
        if stat.S_ISDIR(directory.lstat().st_mode):
            directory.chmod(0o700)
    if function in (os.rmdir, os.unlink):
        function(path)
    else:
        shutil.rmtree(path, onerror=_open_up)
