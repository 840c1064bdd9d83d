"""FastFile beside the embedded store: further names (hard links) of the store's own blobs, in a directory of their own.

A blob is never written to, so what was listed stays readable as it was, whatever becomes of the object. The container
sees the directory through a read-only mount, which no right inside it can write through; on the host the names lie in
the instance's directory, which is its owner's alone.
"""

from collections.abc import Callable
from pathlib import Path

from sagestone.archive.remove import remove_tree
from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.fast_file.listing import FastFileListing
from sagestone.channels.paths import clash, no_file
from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.s3.client import S3, S3Failure, SourceObject


def link_files(s3: S3, channel: Channel, listing: FastFileListing, place: Path, watch: Callable[[], None]) -> bool:
    """Make the names below `place`; False, and nothing made, where there can be no links. Raises JobFailure."""
    directory = ChannelDirectory(place)
    try:
        for path, found in listing.files(watch):
            if not _link(s3, channel, directory, path, found):
                remove_tree(place)
                return False
    finally:
        directory.close()
    return True


def _link(s3: S3, channel: Channel, directory: ChannelDirectory, path: str, found: SourceObject) -> bool:
    try:
        above, name = directory.parent(path)
        return s3.link(found, name, above)
    except (FileExistsError, NotADirectoryError) as error:
        raise clash(channel, found.uri, path) from error
    except S3Failure as error:
        raise JobFailure("client", f"Data download failed:Unable to open object {error}") from error
    except OSError as error:
        raise no_file(channel, found.uri, error) from error
