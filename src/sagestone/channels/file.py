"""File mode: the whole of a channel is on the instance's disk before its program starts."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from sagestone.channels.downloads import Downloads, Fetch, Progress
from sagestone.channels.paths import bad_key, relative_path
from sagestone.channels.room import Room, gibibytes
from sagestone.channels.source import ChannelObject, channel_objects
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure
from sagestone.s3.uri import S3Uri


def fetch_channel(
    s3: S3,
    channel: Channel,
    share: Share,
    directory: Path,
    sidecar: Path | None,
    room: Room,
    watch: Callable[[], None],
    progress: Progress,
) -> int:
    """Download this host's part of a channel into `directory` (made, empty); how many objects the channel has in all.

    Files are 0644 and directories 0755, whole or not there. `sidecar` receives the prefix and one line for every object
    of the channel, those of other hosts too. `progress` is kept up; `watch` is called at least every 100 ms and may
    raise to break off: what is being copied then is left behind, so the directory must not be used. Raises JobFailure.
    """
    if channel.input_mode != "File":
        raise JobFailure(
            "client", f"Channel {channel.name}: input mode {channel.input_mode} is not supported yet; use File"
        )
    prefix = _prefix(channel)
    directory.mkdir(parents=True, mode=0o755)
    downloads = Downloads(_fetch_into(s3, channel, prefix, directory), watch, progress)
    objects = planned_bytes = 0
    lines = sidecar.open("w", encoding="utf-8", errors="replace") if sidecar is not None else None
    try:
        if lines is not None:
            lines.write(f"{prefix.key}\n")
        for found in channel_objects(s3, channel, share):
            objects += 1
            relative_path(channel, prefix, found.uri.key)  # a bad key fails every host, not only the one that gets it
            if lines is not None:
                lines.write(f"{found.uri}".replace("\n", "%0A") + "\n")
            if not found.mine:
                continue
            planned_bytes += found.size
            if room.has(planned_bytes):
                downloads.add(found)
            else:
                watch()
        if not room.has(planned_bytes):
            raise no_room(channel.name, planned_bytes, room)
        downloads.finish()
    finally:
        downloads.abandon()
        if lines is not None:
            lines.close()
    room.used += planned_bytes
    return objects


def no_room(channel: str, wanted: int, room: Room) -> JobFailure:
    """The failure for a channel that is larger than what is left of the volume."""
    held = f", of which {gibibytes(room.used)} are taken by other channels" if room.used else ""
    return JobFailure(
        "client",
        f"Data download failed:Insufficient disk space: channel {channel} has {gibibytes(wanted)} for this host, "
        f"the volume holds {gibibytes(room.limit or 0)}{held}. Ask for a larger VolumeSizeInGB.",
    )


def _prefix(channel: Channel) -> S3Uri:
    try:
        return S3Uri.parse(channel.s3_uri)
    except ValueError as error:
        raise JobFailure("client", f"Data download failed:Channel {channel.name}: {error}") from error


def _fetch_into(s3: S3, channel: Channel, prefix: S3Uri, directory: Path) -> Fetch:
    def fetch(found: ChannelObject) -> int:
        target = directory / relative_path(channel, prefix, found.uri.key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))  # two objects never share a path
            size = s3.download(found.uri, target)
            target.chmod(0o644)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            path = target.relative_to(directory)
            raise bad_key(
                f"S3 key: {found.uri} would become the file {path}, but another object of channel {channel.name} "
                "is a file or needs a directory of that name"
            ) from error
        except S3Failure as error:
            raise JobFailure("client", f"Data download failed:Unable to download object {error}") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise JobFailure(
                    "client", f"Data download failed:Insufficient disk space for channel {channel.name}: {error}"
                ) from error
            raise JobFailure("internal", f"channel {channel.name}: {found.uri} cannot be written: {error}") from error
        return size

    return fetch
