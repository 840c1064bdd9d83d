"""File mode: the whole of a channel is on the instance's disk before its program starts."""

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.downloads import Downloads, Progress
from sagestone.channels.journal import Journal
from sagestone.channels.new_file import NewFile
from sagestone.channels.paths import channel_prefix, clash, no_file, relative_path
from sagestone.channels.room import Room, gibibytes
from sagestone.channels.source import ChannelObject, channel_objects
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3


def fetch_channel(
    s3: S3,
    channel: Channel,
    host: Share,
    directory: Path,
    sidecar: Path | None,
    journal: Path,
    room: Room,
    watch: Callable[[], None],
    progress: Progress,
) -> int:
    """Download this host's part of a channel into `directory`; how many objects the channel has in all.

    The directory may hold what an agent fetched that was killed, with its journal: objects that are whole and still the
    same are kept, all else is removed. Files are 0644 and directories 0755. What lands is what was listed: an object
    that is overwritten or deleted meanwhile fails the job. `sidecar` receives the prefix and one line for every object
    of the channel, those of other hosts too. `progress` is kept up; `watch` is called at least every 100 ms and may
    raise to break off. Raises JobFailure.
    """
    if channel.input_mode != "File":
        raise JobFailure(
            "client", f"Channel {channel.name}: input mode {channel.input_mode} is not supported yet; use File"
        )
    place = ChannelDirectory(directory)
    fetched = Journal(journal, place)
    downloads = Downloads(watch)
    lines = sidecar.open("w", encoding="utf-8", errors="replace") if sidecar is not None else None
    try:
        fetch = _Fetching(s3, channel, place, fetched, downloads, progress)
        objects = _fetch_all(s3, channel, host, lines, room, watch, fetch)
        downloads.finish()
        fetched.remove_rest()
    finally:
        downloads.abandon()
        fetched.close()
        place.close()
        if lines is not None:
            lines.close()
    return objects


def _fetch_all(
    s3: S3,
    channel: Channel,
    host: Share,
    lines: TextIO | None,
    room: Room,
    watch: Callable[[], None],
    fetch: "_Fetching",
) -> int:
    prefix = channel_prefix(channel)
    objects, progress = 0, fetch.progress
    if lines is not None:
        lines.write(f"{prefix.key}\n")
    for found in channel_objects(s3, channel, host):
        objects += 1
        path = relative_path(channel, prefix, found.uri.key)  # a bad key fails every host, not only the one with it
        if lines is not None:
            lines.write(f"{found.uri}".replace("\n", "%0A") + "\n")
        if not found.mine:
            continue
        progress.of_objects += 1
        progress.of_bytes += found.size
        if room.has(progress.of_bytes):
            fetch(path, found)
        else:
            watch()
    if not room.has(progress.of_bytes):
        raise no_room(channel.name, progress.of_bytes, room)
    progress.listed = True
    room.used += progress.of_bytes
    return objects


def no_room(channel: str, wanted: int, room: Room) -> JobFailure:
    """The failure for a channel that is larger than what is left of the volume."""
    held = f", of which {gibibytes(room.used)} are taken by other channels" if room.used else ""
    return JobFailure(
        "client",
        f"Data download failed:Insufficient disk space: channel {channel} has {gibibytes(wanted)} for this host, "
        f"the volume holds {gibibytes(room.limit or 0)}{held}. Ask for a larger VolumeSizeInGB.",
    )


class _Fetching:
    """Hands one object after the other over to the downloads, each with a file of its own that nothing else had."""

    def __init__(
        self,
        s3: S3,
        channel: Channel,
        place: ChannelDirectory,
        journal: Journal,
        downloads: Downloads,
        progress: Progress,
    ) -> None:
        self._s3, self._channel, self._place, self._journal = s3, channel, place, journal
        self._downloads, self.progress = downloads, progress

    def __call__(self, path: str, found: ChannelObject) -> None:
        there = self._journal.take(path, found.source)
        if there == "whole":
            self.progress.add(1, found.size)
            return
        try:
            if there == "other":
                self._place.remove(path)
            file = self._place.create(path)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise clash(self._channel, found.uri, path) from error
        except OSError as error:
            raise no_file(self._channel, found.uri, error) from error
        journal = self._journal
        new = NewFile(self._s3, self._channel.name, found.source, file, whole=lambda: journal.note(path, found.source))
        for piece in new.pieces(self.progress.add):
            self._downloads.add(piece)
