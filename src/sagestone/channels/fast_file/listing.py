"""What a FastFile channel shows: which objects at which paths, each checked before it is shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice

from sagestone.channels.paths import channel_prefix, check_whole_prefix, relative_path
from sagestone.channels.source import dealt_out, source_objects
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, SourceObject, level_key
from sagestone.s3.listing import BadS3Input, read_manifest
from sagestone.s3.uri import S3Uri

_WATCH_EVERY = 256
_NAMES_OF_ONE = 2  # an object and a folder may have the same


class FastFileListing:
    """The files of one host.

    As far as it has come: `listed` counts what is listed, `objects` what is shown on any host, and `last` is the key
    that was looked at last.
    """

    def __init__(self, s3: S3, channel: Channel, share: Share) -> None:
        # Whoever receives everything has the same files in any order.
        self._channel = replace(channel, shuffle_seed=None) if receives_all(channel, share) else channel
        self._share = share
        self._prefix = channel_prefix(channel)
        self._source = self._counted(source_objects(s3, channel))
        self._begun: list[SourceObject] = []
        self._watch: Callable[[], None] = lambda: None
        self.listed = self.objects = 0
        self.last = ""

    @property
    def is_in_order(self) -> bool:
        """Whether files come in the order of their keys."""
        return self._channel.s3_data_type == "S3Prefix" and self._channel.shuffle_seed is None

    def is_longer_than(self, count: int, watch: Callable[[], None]) -> bool:
        """Whether more is listed than that: so much of it is, and is kept for `files`."""
        self._watch = watch
        self._begun += islice(self._source, count + 1 - len(self._begun))
        return len(self._begun) > count

    def files(self, watch: Callable[[], None] = lambda: None) -> Iterator[tuple[str, SourceObject]]:
        """Path and object of each; raises JobFailure for a key of any host that cannot be shown as a file."""
        self._watch = watch
        begun, self._begun = self._begun, []
        for found in dealt_out(chain(begun, self._source), self._channel, self._share):
            self.objects += 1
            check_whole_prefix(self._channel, self._prefix, found.uri.key)
            path = relative_path(self._channel, self._prefix, found.uri.key)
            self.last = found.uri.key
            if found.mine:
                yield path, found.source

    def _counted(self, objects: Iterator[SourceObject]) -> Iterator[SourceObject]:
        for found in objects:
            self.listed += 1
            if self.listed % _WATCH_EVERY == 0:
                self._watch()
            yield found


def promised_files(s3: S3, channel: Channel, share: Share) -> Iterator[tuple[str, S3Uri]]:
    """Path and place of each file of one host, where names alone tell them: those of a manifest.

    Nothing where it cannot be read, which the listing says, or where it names what may be folder markers. Raises
    JobFailure as `files`.
    """
    try:
        places = read_manifest(s3, channel_prefix(channel)) if channel.s3_data_type == "ManifestFile" else []
    except (BadS3Input, S3Failure):
        return
    if any(place.key.endswith("/") for place in places):
        return
    for found in dealt_out((SourceObject(place, 0, "") for place in places), channel, share):
        path = relative_path(channel, found.uri, found.uri.key)
        if found.mine:
            yield path, found.uri


def check_prefix(s3: S3, channel: Channel) -> None:
    """Raise JobFailure (client) when the prefix ends in the middle of a name, however far behind that stands."""
    if channel.s3_data_type == "S3Prefix":
        prefix = channel_prefix(channel)
        for item in islice(s3.level(prefix), _NAMES_OF_ONE + 1) if not prefix.key.endswith("/") else ():
            check_whole_prefix(channel, prefix, level_key(item))


def receives_all(channel: Channel, share: Share) -> bool:
    """Whether one host has all files of a channel."""
    return channel.distribution == "FullyReplicated" or share.count == 1
