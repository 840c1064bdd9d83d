"""The marks that the service leaves beside a checkpoint while it is uploaded, and the names that are never uploaded.

`<file>.sagemaker-uploading` is there while the file goes to S3, `<file>.sagemaker-uploaded` once it is there: programs
look at them before they delete an old checkpoint. They are a courtesy: where one cannot be made nothing else changes.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from sagestone.channels.tree_scan import open_directory

UPLOADING: Final = ".sagemaker-uploading"
UPLOADED: Final = ".sagemaker-uploaded"
_IGNORED: Final = ".sagemaker-ignore"  # a program's own mark for files that it is still writing


def is_mark(name: str) -> bool:
    """Whether it is one of our marks."""
    return name.endswith((UPLOADING, UPLOADED))


def is_uploaded(name: str) -> bool:
    """Whether files of that name go to S3 at all."""
    return not name.endswith((UPLOADING, UPLOADED, _IGNORED))


def set_mark(root: Path, name: str, mark: str | None) -> None:
    """Leave `mark` beside the file and take the other one away; None takes both away."""
    directory_name, _, last = name.rpartition("/")
    with suppress(OSError):  # a courtesy; the directory may be gone by now
        directory = open_directory(root, directory_name)
        try:
            if mark is not None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with suppress(FileExistsError):
                    os.close(os.open(last + mark, flags, 0o644, dir_fd=directory))
            for other in (UPLOADING, UPLOADED):
                if other != mark:
                    with suppress(FileNotFoundError):
                        os.unlink(last + other, dir_fd=directory)
        finally:
            os.close(directory)
