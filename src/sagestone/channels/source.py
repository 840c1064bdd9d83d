"""The objects behind a channel: in which order they come, and which of them are this host's."""

from collections.abc import Iterator
from dataclasses import dataclass

from sagestone.channels.paths import is_folder_marker
from sagestone.channels.shuffle import epoch_order
from sagestone.domain.channel import Channel, Distribution
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, SourceObject, fault_of
from sagestone.s3.listing import BadS3Input, objects_of
from sagestone.s3.uri import S3Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelObject:
    """One object of a channel; `mine` says whether this host receives it."""

    source: SourceObject
    mine: bool

    @property
    def uri(self) -> S3Uri:
        return self.source.uri

    @property
    def size(self) -> int:
        return self.source.size


def source_objects(s3: S3, channel: Channel) -> Iterator[SourceObject]:
    """All objects of the channel, in key order (S3Prefix) or in the manifest's, as often as it names them.

    Folder markers are no data: they are neither given nor counted. Raises JobFailure (client) where the source cannot
    be listed, has nothing, or is written wrongly.
    """
    if channel.s3_data_type == "AugmentedManifestFile":
        raise JobFailure(
            "client", f"Channel {channel.name}: an AugmentedManifestFile can be read with InputMode Pipe only"
        )
    try:
        for found in objects_of(s3, channel.s3_data_type, channel.s3_uri):
            if not is_folder_marker(found.uri, found.size):
                yield found
    except (BadS3Input, S3Failure) as error:
        raise JobFailure(fault_of(error), f"Data download failed:Channel {channel.name}: {error}") from error


def channel_objects(s3: S3, channel: Channel, share: Share) -> Iterator[ChannelObject]:
    """The channel's objects as files, each key once, in the order in which they are dealt out; raises JobFailure.

    The order is that of the source, or with ShuffleConfig that of epoch 0. It is the same on every host.
    """
    return dealt_out(source_objects(s3, channel), channel, share)


def dealt_out(objects: Iterator[SourceObject], channel: Channel, share: Share) -> Iterator[ChannelObject]:
    """As `channel_objects`, of what `source_objects` gave."""
    if channel.s3_data_type == "ManifestFile":
        objects = _each_once(objects)
    if channel.shuffle_seed is not None:
        listed = list(objects)
        objects = (listed[place] for place in epoch_order(len(listed), channel.shuffle_seed, 0))
    for index, found in enumerate(objects):
        yield ChannelObject(source=found, mine=is_mine(index, channel.distribution, share))


def _each_once(objects: Iterator[SourceObject]) -> Iterator[SourceObject]:
    seen: set[str] = set()
    for found in objects:
        if found.uri.key not in seen:
            seen.add(found.uri.key)
            yield found


def is_mine(index: int, distribution: Distribution, share: Share) -> bool:
    """Whether this host receives the object that stands at `index` (from 0) in the channel's order.

    ShardedByS3Key deals them out in turn over the n hosts that receive the channel: object i goes to the
    (i mod n + 1)-th of them, as seen in real jobs.
    """
    return distribution == "FullyReplicated" or index % share.count == share.number - 1
