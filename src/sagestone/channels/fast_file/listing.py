"""What a FastFile channel shows: which objects at which paths, checked as a whole before anything is shown."""

from collections.abc import Callable, Iterator

from sagestone.channels.paths import channel_prefix, check_whole_prefix, relative_path
from sagestone.channels.source import channel_objects
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, SourceObject

_WATCH_EVERY = 256


class FastFileListing:
    """The files of one host; `objects` counts those of all hosts as far as they were listed."""

    def __init__(self, s3: S3, channel: Channel, share: Share) -> None:
        self._s3, self._channel, self._share = s3, channel, share
        self.objects = 0

    def files(self, watch: Callable[[], None]) -> Iterator[tuple[str, SourceObject]]:
        """Path and object of each; raises JobFailure for a key of any host that cannot be shown as a file."""
        prefix = channel_prefix(self._channel)
        for found in channel_objects(self._s3, self._channel, self._share):
            self.objects += 1
            if self.objects % _WATCH_EVERY == 0:
                watch()
            check_whole_prefix(self._channel, prefix, found.uri.key)
            path = relative_path(self._channel, prefix, found.uri.key)
            if found.mine:
                yield path, found.source
