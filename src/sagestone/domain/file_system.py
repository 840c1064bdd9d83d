"""File systems: what a machine has mounted, and what a channel asks of one (FileSystemDataSource)."""

from dataclasses import dataclass
from typing import Literal

FileSystemType = Literal["EFS", "FSxLustre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A file system of the service: where it is mounted on this machine.

    `mount_name` is that of FSx for Lustre: every DirectoryPath begins with it, and the mounted directory stands for it.
    """

    id: str
    kind: FileSystemType
    directory: str
    mount_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemChannel:
    """A channel whose data is mounted: File mode, every host, nothing is copied."""

    name: str
    file_system_id: str
    kind: FileSystemType
    access_mode: Literal["ro", "rw"]
    directory_path: str
    content_type: str | None = None


class BadDirectoryPath(Exception):
    """A DirectoryPath that names nothing on its file system; the text says why."""


def relative_directory(file_system: FileSystem, directory_path: str) -> str:
    """The path below the mounted directory, without a slash at its ends; "" is the whole of it.

    Raises BadDirectoryPath for a path that is not absolute, has `..`, or lacks the mount name.
    """
    parts = [part for part in directory_path.split("/") if part]
    if not directory_path.startswith("/") or ".." in parts or "." in parts or "\0" in directory_path:
        raise BadDirectoryPath(f"{directory_path!r} is not an absolute path without . and ..")
    if file_system.mount_name:
        if parts[:1] != [file_system.mount_name]:
            raise BadDirectoryPath(
                f"{directory_path!r} does not begin with the mount name of {file_system.id}: /{file_system.mount_name}"
            )
        parts = parts[1:]
    return "/".join(parts)
