"""Questions to S3 about one file or one directory of a channel, while the channel is still being listed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from sagestone.channels.fast_file.listing import receives_all
from sagestone.channels.paths import channel_prefix, is_folder_marker, is_part
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, ObjectInfo, SourceObject, level_key
from sagestone.s3.listing import LOOKUPS
from sagestone.s3.uri import S3Uri

#: A name in a directory, and the object that it is; None: it is a directory.
Named = tuple[bytes, SourceObject | None]

_PAGE = 1000
_FEW = 2  # asked for at a time, where one that is no folder marker is enough


class Asking:
    """May be asked from several threads; raises S3Failure. A directory's path ends with `/`, that of the root is ""."""

    def __init__(self, s3: S3, channel: Channel, share: Share) -> None:
        self._s3 = s3
        prefix = channel_prefix(channel)
        folder = prefix.key == "" or prefix.key.endswith("/")
        self._base = S3Uri(prefix.bucket, prefix.key if folder else prefix.key + "/")
        self._pool = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="look-into")
        self.may_ask = channel.s3_data_type == "S3Prefix" and receives_all(channel, share)

    def is_past(self, key: str, directory: str) -> bool:
        """Whether a listing in the order of keys that has come to that key has all of that directory behind it."""
        return directory != "" and key >= f"{self._base.key}{directory[:-1]}0"  # the character after `/`

    def find(self, path: str) -> SourceObject | bool | None:
        """The object of that path, True for a directory, or None."""
        uri = self._uri(path)
        # A HEAD that finds nothing has to find out whether the bucket is missing: slow on a remote store.
        first = next(self._s3.list(uri, page=1), None)
        if first is not None and first.key == uri.key:
            return _source(uri.bucket, first)
        return self._is_directory(S3Uri(uri.bucket, uri.key + "/")) or None

    def names(self, directory: str) -> Iterator[list[Named]]:
        """The names in a directory in the order of their keys, some at a time; those that can be none are left out."""
        prefix = self._uri(directory)
        items = iter(self._s3.level(prefix))
        while page := list(islice(items, _PAGE)):
            folders = [S3Uri(prefix.bucket, item) for item in page if isinstance(item, str)]
            each = map if self._s3.has_files else self._pool.map
            filled = zip(folders, each(self._is_directory, folders), strict=True)
            empty = {folder.key for folder, is_filled in filled if not is_filled}
            yield [
                (name.encode(), None if isinstance(item, str) else _source(prefix.bucket, item))
                for item in page
                if is_part(name := level_key(item)[len(prefix.key) :].removesuffix("/")) and item not in empty
            ]

    def look_up(self, uri: S3Uri) -> SourceObject:
        """The object as it is now; raises NoSuchKey."""
        return _source(uri.bucket, self._s3.head(uri))

    def _is_directory(self, prefix: S3Uri) -> bool:
        """Whether anything but folder markers lies there."""
        found = self._s3.list(prefix, page=_FEW)
        return any(not is_folder_marker(S3Uri(prefix.bucket, each.key), each.size) for each in found)

    def _uri(self, path: str) -> S3Uri:
        return S3Uri(self._base.bucket, self._base.key + path)


def _source(bucket: str, info: ObjectInfo) -> SourceObject:
    return SourceObject(S3Uri(bucket, info.key), info.size, info.etag, info.place)
