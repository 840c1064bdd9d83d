"""Whether this service has the file systems that a request names, as it names them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from sagestone.channels.file_system import mounted_directory
from sagestone.domain.file_system import BadDirectoryPath, FileSystem
from sagestone.domain.place import Place
from sagestone.settings import Settings
from sagestone.shapes.violation import Violation


def configured_file_systems(settings: Settings) -> dict[str, FileSystem]:
    """The file systems of the settings by their ids."""
    return {
        each.id: FileSystem(id=each.id, kind=each.type, directory=each.directory, mount_name=each.mount_name)
        for each in settings.file_systems
    }


def algorithm_file_system_violations(
    request: Mapping[str, Any], known: Mapping[str, FileSystem]
) -> Iterator[Violation]:
    """As `file_system_violations`, for the profiles of a CreateAlgorithm request."""
    for profile in Place(request).at("ValidationSpecification", "ValidationProfiles").elements():
        yield from file_system_violations(profile.member("TrainingJobDefinition"), known)


def file_system_violations(job: Place, known: Mapping[str, FileSystem]) -> Iterator[Violation]:
    """Each file system of the job's channels is configured, of the type it says, and has the directory."""
    for channel in job.member("InputDataConfig").elements():
        source = channel.at("DataSource", "FileSystemDataSource")
        if source.value is not None:
            yield from _source_violations(source, known)


def _source_violations(source: Place, known: Mapping[str, FileSystem]) -> Iterator[Violation]:
    name, kind, path = (source.member(each) for each in ("FileSystemId", "FileSystemType", "DirectoryPath"))
    file_system = known.get(name.value)
    if file_system is None:
        there = f" It has: {', '.join(known)}." if known else ""
        yield name.breaks(
            f"Member must be a file system of this service.{there} Say in sagestone.toml where it is mounted: "
            f'[file_systems.{name.value}] with type = "{kind.value}" and directory = "/its/mount/point", or in '
            f"SAGESTONE_FILE_SYSTEMS: {name.value}={kind.value}:/its/mount/point"
        )
        return
    if kind.value != file_system.kind:
        yield kind.breaks(f"Member must be {file_system.kind}, as {file_system.id} is configured")
    try:
        directory = mounted_directory(file_system, path.value)
    except BadDirectoryPath as error:
        yield path.breaks(f"Member must be a directory of {file_system.id}: {error}")
        return
    access = source.member("FileSystemAccessMode")
    if access.value == "rw" and not os.access(directory, os.W_OK):
        yield access.breaks(f"Member must be ro: {directory} cannot be written by the user who runs this service")
