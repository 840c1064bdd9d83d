"""The mounts of a training instance's file system channels."""

from collections.abc import Sequence

from sagestone.channels.file_system import mounted_directory
from sagestone.containers.runtime import Mount
from sagestone.domain.failure import JobFailure
from sagestone.domain.file_system import BadDirectoryPath, FileSystem, FileSystemChannel


def file_system_mounts(channels: Sequence[FileSystemChannel], machine: Sequence[FileSystem]) -> tuple[Mount, ...]:
    """One for each channel, read-only where it asks for `ro`; raises JobFailure (client) where one is not there."""
    known = {each.id: each for each in machine}
    return tuple(_mount(channel, known.get(channel.file_system_id)) for channel in channels)


def _mount(channel: FileSystemChannel, file_system: FileSystem | None) -> Mount:
    if file_system is None or file_system.kind != channel.kind:
        raise _failure(channel, f"the service has no {channel.kind} of that id configured any more")
    try:
        directory = mounted_directory(file_system, channel.directory_path)
    except BadDirectoryPath as error:
        raise _failure(channel, str(error)) from error
    target = f"/opt/ml/input/data/{channel.name}"
    return Mount(source=directory, target=target, read_only=channel.access_mode == "ro")


def _failure(channel: FileSystemChannel, what: str) -> JobFailure:
    return JobFailure(
        "client", f"Data download failed:Channel {channel.name}: file system {channel.file_system_id}: {what}"
    )
