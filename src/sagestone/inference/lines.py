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
    begun = bytearray()
    for piece in pieces:
        end = piece.find(b"\n")
        if end < 0:  # of a long line: what came before is not copied each time
            begun += piece
            _refuse_long(len(begun))
            continue
        begun += piece[:end]
        ended = [bytes(begun)]
        *more, last = piece[end + 1 :].split(b"\n")
        ended += more
        begun = bytearray(last)
        _refuse_long(len(begun))
        for line in ended:
            if line.endswith(b"\r"):
                line = line[:-1]
                if line:
                    yield line, b"\r\n"
            elif line:
                yield line, b"\n"
    if begun.rstrip(b"\r"):
        yield bytes(begun), b""


def _refuse_long(size: int) -> None:
    if size > LONGEST:
        raise BadRecord(f"it has more than {LONGEST} bytes, too many to be filtered or joined")
