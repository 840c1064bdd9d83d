"""The records of a stream of bytes, where they are lines or the whole."""

from collections.abc import Iterable, Iterator

from sagestone.inference.record_error import BadRecord

#: More than any request holds; a record that is looked into lies in memory.
LONGEST = 128 * 1024 * 1024


def records_of(pieces: Iterable[bytes], *, lines: bool) -> Iterator[tuple[bytes, bytes]]:
    """Each record and what ends it: nothing, or a newline with or without a carriage return before it.

    Lines with nothing in them are no records, nor is a whole that has only white space. Raises BadRecord for a record
    of more than 128 MiB.
    """
    if not lines:
        whole = bytearray()
        for piece in pieces:
            whole += piece
            _refuse_long(len(whole))
        if not whole.isspace() and whole:
            yield bytes(whole), b""
        return
    begun = b""
    for piece in pieces:
        *ended, begun = (begun + piece).split(b"\n")
        _refuse_long(len(begun))
        for line in ended:
            if line.endswith(b"\r"):
                line = line[:-1]
                if line:
                    yield line, b"\r\n"
            elif line:
                yield line, b"\n"
    if begun.rstrip(b"\r"):
        yield begun, b""


def _refuse_long(size: int) -> None:
    if size > LONGEST:
        raise BadRecord(f"it has more than {LONGEST} bytes, too many to be filtered or joined")
