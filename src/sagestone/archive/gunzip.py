"""Undoes gzip (of a transform's input, of a channel), a few hundred kilobytes at a time."""

from collections.abc import Iterable, Iterator

from isal import isal_zlib

_MOST = 1024 * 1024
_MAGIC = b"\x1f\x8b"
_GZIP = 31  # window bits that make isal (as zlib) expect gzip's header and trailer


class BadGzip(Exception):
    """The bytes are not a whole gzip file; the text says why."""


def gunzip(pieces: Iterable[bytes], most: int = _MOST) -> Iterator[bytes]:
    """The content of a gzip file of any number of members, in pieces of at most `most` bytes.

    Zero bytes after a member are padding. An empty file has no content. Raises BadGzip for anything else that is not
    gzip, for a wrong checksum and for a file that was cut off.
    """
    member, members = None, 0
    for piece in pieces:
        waiting = piece
        while True:
            if member is None:
                waiting = waiting.lstrip(b"\0") if members else waiting
                if not waiting:
                    break
                if not _MAGIC.startswith(waiting[: len(_MAGIC)]):
                    raise BadGzip(_no_member(members))
                member, members = isal_zlib.decompressobj(_GZIP), members + 1
            try:
                data = member.decompress(waiting, most)
            except isal_zlib.error as error:  # type: ignore[misc]  # typed as an instance of itself
                raise BadGzip(str(error)) from error
            if data:
                yield data
            if member.eof:
                waiting, member = member.unused_data, None
            elif member.unconsumed_tail:
                waiting = member.unconsumed_tail
            elif len(data) == most:  # more may be waiting inside
                waiting = b""
            else:
                break
    if member is not None:
        raise BadGzip("it ends before the end of its data")


def _no_member(members: int) -> str:
    if members == 0:
        return "it does not begin with gzip's magic number (1f 8b)"
    return f"behind its {members} member{'' if members == 1 else 's'} stands something that is no gzip"
