"""The objects behind a channel: in which order they come, and which of them are this host's."""

from collections.abc import Iterator
from dataclasses import dataclass

from sagestone.channels.paths import is_folder_marker
from sagestone.domain.channel import Channel, Distribution
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, SourceObject
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


def channel_objects(s3: S3, channel: Channel, share: Share) -> Iterator[ChannelObject]:
    """All objects of the channel, in key order (S3Prefix) or in the manifest's (ManifestFile, each key once).

    The order is the same on every host. Folder markers are no data: they are neither given nor counted. Raises
    JobFailure (client) where the source cannot be listed, has nothing, or is written wrongly.
    """
    if channel.s3_data_type == "AugmentedManifestFile":
        raise JobFailure(
            "client",
            f"Channel {channel.name}: S3DataType AugmentedManifestFile is not supported yet; "
            "use S3Prefix or ManifestFile",
        )
    seen: set[str] = set()
    index = 0
    try:
        for found in objects_of(s3, channel.s3_data_type, channel.s3_uri):
            if is_folder_marker(found.uri, found.size):
                continue
            if channel.s3_data_type == "ManifestFile":
                if found.uri.key in seen:
                    continue
                seen.add(found.uri.key)
            mine = is_mine(index, channel.distribution, share)
            yield ChannelObject(source=found, mine=mine)
            index += 1
    except (BadS3Input, S3Failure) as error:
        raise JobFailure("client", f"Data download failed:Channel {channel.name}: {error}") from error


def is_mine(index: int, distribution: Distribution, share: Share) -> bool:
    """Whether this host receives the object that stands at `index` (from 0) in the channel's order.

    ShardedByS3Key deals them out in turn over the n hosts that receive the channel: object i goes to the
    (i mod n + 1)-th of them, as seen in real jobs.
    """
    return distribution == "FullyReplicated" or index % share.count == share.number - 1
