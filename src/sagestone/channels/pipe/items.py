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
from sagestone.s3.client import S3, S3Failure, SourceObject, fault_of
from sagestone.s3.listing import BadS3Input
from sagestone.s3.uri import S3Uri

_WATCH_SECONDS = 0.05
_encode = msgspec.json.Encoder().encode
_decode_lines = msgspec.json.Decoder(SourceObject).decode_lines  # makes them in C, twice as fast as calling for each


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
            raise JobFailure(fault_of(error), f"Data download failed:Channel {channel.name}: {error}") from error

    def __len__(self) -> int:
        """How many objects or lines there are, those of other hosts too."""
        return len(self._catalogue)

    def epoch(self, epoch: int) -> Iterator[Item]:
        """What this host sends in that epoch, in order."""
        if not self.are_objects:
            return self._of_lines(epoch)
        return self.objects(epoch)

    @property
    def are_objects(self) -> bool:
        """Whether each item is an object of which all is known, one for each place in the list."""
        return self._channel.s3_data_type != "AugmentedManifestFile"

    def objects(self, epoch: int) -> Iterator[SourceObject]:
        """As `epoch`, where the items are objects."""
        for block in self._catalogue.blocks(self.places(epoch)):
            yield from _decode_lines(block)

    def places(self, epoch: int) -> Sequence[int]:
        """The places in the list that are this host's in that epoch: shuffled first, then dealt out."""
        order = epoch_order(len(self), self._channel.shuffle_seed, epoch)
        if self._channel.distribution == "FullyReplicated":
            return order
        return order[self._share.number - 1 :: self._share.count]

    def _of_lines(self, epoch: int) -> Iterator[Item]:
        for line in self._catalogue.lines(self.places(epoch)):
            yield from line_items(line, self._source)

    def close(self) -> None:
        """Let go of the list."""
        self._catalogue.close()


def _objects(s3: S3, channel: Channel) -> Iterator[bytes]:
    return map(_encode, source_objects(s3, channel))


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
