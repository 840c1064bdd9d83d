"""Where an object of a channel lies below the channel's directory: from S3 key to relative path, and never outside.

S3Prefix with prefix P: P is cut off where it ends in `/` (or is empty) or where the rest of the key starts with `/`;
else everything up to the last `/` of P is. ManifestFile: the whole key.

    prefix          key                path
    in/             in/a/x.csv         a/x.csv
    in              in/test            test
    data/train      data/train-1.csv   train-1.csv
    in/x.csv        in/x.csv           x.csv

A key that can be no path fails the job with a sentence that names it: `//` in it (the service's own wording), a part
`.` or `..`, a NUL, a part of more than 255 bytes, bytes behind a name that ends in `/`. An empty object whose key ends
in `/` marks a folder and is no data: it is passed over.
"""

import errno

from sagestone.domain.channel import Channel
from sagestone.domain.failure import JobFailure
from sagestone.s3.uri import S3Uri

_LONGEST_PART = 255  # bytes of a file name


def is_folder_marker(uri: S3Uri, size: int) -> bool:
    """Whether that object only stands for a folder."""
    return uri.key.endswith("/") and size == 0


def relative_path(channel: Channel, prefix: S3Uri, key: str) -> str:
    """The path of `key` below the directory of a channel whose S3Uri is `prefix`; raises JobFailure (client)."""
    if "//" in key or key.startswith("/"):
        raise bad_key(f"S3 key: {S3Uri(prefix.bucket, key)} has an illegal char sub-sequence '//' in it")
    path = key if channel.s3_data_type == "ManifestFile" else _after_prefix(prefix.key, key)
    if path == "" or path.endswith("/"):
        raise bad_key(
            f"S3 key: {S3Uri(prefix.bucket, key)} ends in '/' but has content, so it can be neither a folder nor a file"
        )
    if not _is_plain(path):
        _check_parts(path, S3Uri(prefix.bucket, key))
    return path


def _is_plain(path: str) -> bool:
    """Whether nothing can be wrong with its parts: most paths are seen to be well in a third of the time."""
    is_short = len(path) <= _LONGEST_PART and path.isascii()
    return is_short and path[0] != "." and "/." not in path and "\0" not in path


def _check_parts(path: str, uri: S3Uri) -> None:
    for part in path.split("/"):
        if part in (".", ".."):
            raise bad_key(f"S3 key: {uri} has the part {part!r}, which is no file name")
        if "\0" in part:
            raise bad_key(f"S3 key: {str(uri)!r} has a null byte in it")
        if len(part.encode(errors="replace")) > _LONGEST_PART:
            raise bad_key(f"S3 key: {uri} has a part of more than {_LONGEST_PART} bytes, too long for a file name")


def is_part(name: str) -> bool:
    """Whether a file or directory can have that name; no part of a path has `/` in it."""
    return name not in ("", ".", "..") and "\0" not in name and len(name.encode(errors="replace")) <= _LONGEST_PART


def channel_prefix(channel: Channel) -> S3Uri:
    """The channel's S3Uri in its parts; raises JobFailure (client) where it is none."""
    try:
        return S3Uri.parse(channel.s3_uri)
    except ValueError as error:
        raise JobFailure("client", f"Data download failed:Channel {channel.name}: {error}") from error


def check_whole_prefix(channel: Channel, prefix: S3Uri, key: str) -> None:
    """Raise JobFailure (client) when the prefix ends in the middle of the key's file or folder name."""
    if channel.s3_data_type == "ManifestFile" or prefix.key == "" or prefix.key.endswith("/"):
        return
    if key != prefix.key and not key.startswith(prefix.key + "/"):
        raise JobFailure(
            "client",
            "Data download failed:Failed to download data. For FastFile mode, partial S3 prefix is not supported. S3 "
            "prefix has to end with a full file or folder. Add a trailing '/' to the S3 prefix if it ends with a "
            f"folder name that is also a prefix for other folders. Channel {channel.name} has {prefix}, which is also "
            f"the beginning of {S3Uri(prefix.bucket, key)}.",
        )


def clash(channel: Channel, uri: S3Uri, path: str) -> JobFailure:
    """The failure for an object whose path is taken: by another object, or by a directory that another one needs."""
    return bad_key(
        f"S3 key: {uri} would become the file {path}, but another object of channel {channel.name} "
        "is a file or needs a directory of that name"
    )


def no_file(channel: Channel, uri: S3Uri, error: OSError) -> JobFailure:
    """The failure for a file that this machine does not make."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return JobFailure(
        "client" if full else "internal",
        f"Data download failed:{'Insufficient disk space: ' if full else ''}channel {channel.name}: no file can be "
        f"made for {uri}: {error.strerror}",
    )


def bad_key(what: str) -> JobFailure:
    """The failure for a key that cannot become a file."""
    return JobFailure("client", f"Data download failed:Failed to download data. {what}")


def _after_prefix(prefix: str, key: str) -> str:
    if prefix == "" or prefix.endswith("/"):
        return key[len(prefix) :]
    rest = key[len(prefix) :]
    if rest.startswith("/"):
        return rest[1:]
    return key[prefix.rfind("/") + 1 :]
