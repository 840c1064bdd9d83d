"""Rules of a channel's FileSystemDataSource that need no knowledge of what is mounted."""

from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation


def file_system_channel_violations(channel: Place, default_mode: Place) -> Iterator[Violation]:
    """File mode, nothing to shuffle, and no second source; nothing where the channel has another source."""
    source = channel.at("DataSource", "FileSystemDataSource")
    if source.value is None:
        return
    if channel.at("DataSource", "S3DataSource").value is not None:
        yield source.breaks("Member must be absent: a channel has one data source, and this one has an S3DataSource")
    mode = channel.member("InputMode") if channel.member("InputMode") else default_mode
    if mode.value != "File":
        yield mode.breaks("Member must be File: a file system is mounted, not streamed")
    if channel.member("ShuffleConfig").value is not None:
        yield channel.member("ShuffleConfig").breaks("Member must be absent: a file system has no objects to shuffle")
