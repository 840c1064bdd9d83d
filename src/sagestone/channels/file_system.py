"""Where a FileSystemDataSource lies on this machine: below the directory that its file system is mounted at."""

from pathlib import Path

from sagestone.domain.file_system import BadDirectoryPath, FileSystem, relative_directory


def mounted_directory(file_system: FileSystem, directory_path: str) -> Path:
    """The real directory, all links followed; raises BadDirectoryPath when it is missing or lies outside."""
    relative = relative_directory(file_system, directory_path)
    try:
        root = Path(file_system.directory).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise BadDirectoryPath(
            f"the directory {file_system.directory} of {file_system.id} is not there: mount it, or configure another"
        ) from error
    try:
        found = (root / relative).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise BadDirectoryPath(f"{directory_path!r} is not there: {root / relative} is missing") from error
    if not found.is_relative_to(root):
        raise BadDirectoryPath(f"{directory_path!r} leads out of {file_system.id} by a link: to {found}")
    if not found.is_dir():
        raise BadDirectoryPath(f"{directory_path!r} is not a directory: {found}")
    return found
