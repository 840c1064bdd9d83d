"""What a channel in Pipe mode sends: listed once when the job starts, then dealt out anew for each epoch."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from sagestone.channels.augmented import line_items, manifest_lines
from sagestone.channels.catalogue import Catalogue
from sagestone.channels.elements import Item
from sagestone.channels.shuffle import epoch_order
from sagestone.channels.source import source_objects
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure, SourceObject
from sagestone.s3.listing import BadS3Input
from sagestone.s3.uri import S3Uri

_WATCH_SECONDS = 0.05
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, str, int, str, str]).decode


class PipeItems:
    """The items of each epoch for one host."""

    def __init__(self, channel: Channel, share: Share, catalogue: Catalogue) -> None:
        self._channel, self._share, self._catalogue = channel, share, catalogue
        self._source = S3Uri.parse(channel.s3_uri)

    @classmethod
    def list(cls, s3: S3, channel: Channel, share: Share, path: Path, watch: Callable[[], None]) -> "PipeItems":
        """List what there is, and keep the list at `path`. Raises JobFailure (client), or what `watch` raises."""
        try:
            lines = (
                _augmented(s3, channel) if channel.s3_data_type == "AugmentedManifestFile" else _objects(s3, channel)
            )
            return cls(channel, share, Catalogue.write(path, _watched(lines, watch)))
        except (BadS3Input, S3Failure) as error:
            raise JobFailure("client", f"Data download failed:Channel {channel.name}: {error}") from error

    def __len__(self) -> int:
        """How many objects or lines there are, those of other hosts too."""
        return len(self._catalogue)

    def epoch(self, epoch: int) -> Iterator[Item]:
        """What this host sends in that epoch, in order."""
        lines = self._catalogue.lines(self.places(epoch))
        if self._channel.s3_data_type == "AugmentedManifestFile":
            for line in lines:
                yield from line_items(line, self._source)
        else:
            for line in lines:
                bucket, key, size, etag, place = _decode(line)
                yield SourceObject(S3Uri(bucket, key), size, etag, place)

    def places(self, epoch: int) -> Sequence[int]:
        """The places in the list that are this host's in that epoch: shuffled first, then dealt out."""
        order = epoch_order(len(self), self._channel.shuffle_seed, epoch)
        if self._channel.distribution == "FullyReplicated":
            return order
        return order[self._share.number - 1 :: self._share.count]

    def close(self) -> None:
        """Let go of the list."""
        self._catalogue.close()


def _objects(s3: S3, channel: Channel) -> Iterator[bytes]:
    for found in source_objects(s3, channel):
        yield _encode((found.uri.bucket, found.uri.key, found.size, found.etag, found.place))


def _augmented(s3: S3, channel: Channel) -> Iterator[bytes]:
    manifest = S3Uri.parse(channel.s3_uri)
    with s3.read(manifest) as pieces:
        yield from manifest_lines(pieces, manifest, channel.attribute_names)


def _watched(lines: Iterator[bytes], watch: Callable[[], None]) -> Iterator[bytes]:
    look_at = 0.0
    for line in lines:
        if time.monotonic() >= look_at:
            watch()
            look_at = time.monotonic() + _WATCH_SECONDS
        yield line
