"""The objects that an S3Prefix or a ManifestFile names, in the order in which they are dealt out and read."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import msgspec

from sagestone.s3.client import S3, NoSuchBucket, NoSuchKey, SourceObject
from sagestone.s3.uri import S3Uri

LARGEST_MANIFEST_BYTES = 256 * 1024 * 1024
LOOKUPS = 16  # of a manifest's objects that are under way at once, where the store answers over a network
_LOOKED_UP_AHEAD = 4 * LOOKUPS


class BadS3Input(Exception):
    """Input data that cannot be used as given; the text is what the user reads, naming the URI and what to do."""


def objects_of(s3: S3, data_type: Literal["S3Prefix", "ManifestFile"], uri: str) -> Iterator[SourceObject]:
    """The objects of an S3DataSource: a prefix in UTF-8 byte order (raw, no slash implied, folder markers and empty
    objects too), a manifest in its own order.

    Raises BadS3Input when there are none or the manifest or URI is bad, S3Failure when S3 does not answer.
    """
    try:
        place = S3Uri.parse(uri)
    except ValueError as error:
        raise BadS3Input(str(error)) from error
    if data_type == "S3Prefix":
        yield from _under_prefix(s3, place)
    elif data_type == "ManifestFile":
        yield from _of_manifest(s3, place)
    else:
        raise BadS3Input(f"S3DataType {data_type} is not supported here; use S3Prefix or ManifestFile.")


def _under_prefix(s3: S3, prefix: S3Uri) -> Iterator[SourceObject]:
    any_found = False
    try:
        for info in s3.list(prefix):
            any_found = True
            yield SourceObject(S3Uri(prefix.bucket, info.key), info.size, info.etag, info.place)
    except NoSuchBucket as error:
        raise BadS3Input(f"{_nothing_under(prefix)} The bucket does not exist.") from error
    if not any_found:
        raise BadS3Input(_nothing_under(prefix))


def _nothing_under(prefix: S3Uri) -> str:
    return (
        f'No S3 objects found under S3 URL "{prefix}" given in input data source. Please ensure that the bucket '
        f'"{prefix.bucket}" exists and that objects exist under that S3 prefix.'
    )


def _of_manifest(s3: S3, manifest: S3Uri) -> Iterator[SourceObject]:
    def look_up(place: S3Uri) -> SourceObject:
        try:
            info = s3.head(place)
        except (NoSuchKey, NoSuchBucket) as error:
            raise BadS3Input(
                f'The manifest "{manifest}" names the object "{place}", which does not exist. Upload it or take it '
                "out of the manifest."
            ) from error
        return SourceObject(place, info.size, info.etag, info.place)

    places = read_manifest(s3, manifest)
    if s3.has_files:  # another thread would take longer than the look
        return map(look_up, places)
    return _several_at_once(look_up, places)


def _several_at_once(look_up: Callable[[S3Uri], SourceObject], places: Iterable[S3Uri]) -> Iterator[SourceObject]:
    """The objects in order, a bounded number of lookups ahead; what the first in that order raises is raised."""
    pool = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="look-up")
    begun: deque[Future[SourceObject]] = deque()
    try:
        for place in places:
            begun.append(pool.submit(look_up, place))
            if len(begun) == _LOOKED_UP_AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def read_manifest(s3: S3, manifest: S3Uri) -> list[S3Uri]:
    """What a manifest `[{"prefix": "s3://bucket/some/prefix/"}, "key-1", …]` names: the prefix and each key joined.

    Raises BadS3Input naming the manifest and the entry that is wrong.
    """
    try:
        size = s3.head(manifest).size
        if size > LARGEST_MANIFEST_BYTES:
            raise BadS3Input(
                f'The manifest "{manifest}" has {size} bytes; at most {LARGEST_MANIFEST_BYTES} are read. '
                "Is it a manifest?"
            )
        with s3.read(manifest) as pieces:
            content = b"".join(pieces)
    except (NoSuchKey, NoSuchBucket) as error:
        raise BadS3Input(
            f'The manifest "{manifest}" does not exist. With S3DataType ManifestFile, S3Uri is the key of one manifest.'
        ) from error
    return parse_manifest(content, manifest)


def parse_manifest(content: bytes, manifest: S3Uri) -> list[S3Uri]:
    """As read_manifest, from the manifest's bytes."""
    try:
        entries: Any = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError as error:
        raise _bad(manifest, f"is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise _bad(manifest, f"is not UTF-8: {error}") from error
    except RecursionError as error:
        raise _bad(manifest, "is nested too deeply") from error
    if not isinstance(entries, list) or not entries:
        raise _bad(manifest, "is not a JSON array with entries")
    head = entries[0]
    if not isinstance(head, dict) or list(head) != ["prefix"] or not isinstance(head["prefix"], str):
        raise _bad(manifest, 'does not begin with {"prefix": "s3://…"}')
    prefix = head["prefix"]
    if not prefix.startswith("s3://") or not prefix[5:].partition("/")[0]:
        raise _bad(manifest, f"has the prefix {prefix!r}, which is not an S3 URI (s3://BUCKET/PREFIX)")
    places = []
    for number, entry in enumerate(entries[1:], start=1):
        if not isinstance(entry, str):
            raise _bad(
                manifest, f"has {_shown(entry)} as entry {number}, where a string (the end of a key) is expected"
            )
        bucket, _, key = (prefix + entry)[5:].partition("/")
        if not key or bucket != prefix[5:].partition("/")[0]:
            raise _bad(manifest, f"has the entry {number} {entry!r}, which gives no key in the prefix's bucket")
        places.append(S3Uri(bucket, key))
    if not places:
        raise _bad(manifest, "names no objects")
    return places


def _bad(manifest: S3Uri, what: str) -> BadS3Input:
    return BadS3Input(
        f'The manifest "{manifest}" {what}. Expected: [{{"prefix": "s3://bucket/some/prefix/"}}, "key-1", "key-2"].'
    )


def _shown(entry: Any) -> str:
    return msgspec.json.encode(entry).decode()[:100]
