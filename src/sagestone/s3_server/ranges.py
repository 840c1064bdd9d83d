"""The Range header and part numbers: which bytes of an object are asked for."""

import re

from sagestone.s3.storage.refusal import Refusal


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(first byte, byte after the last); None for the whole object: no header, several ranges, or one in a form that
    is not known (RFC 9110 has it ignored). Raises Refusal InvalidRange when nothing of the object lies in it."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, end = max(0, size - int(found[2])), size
    else:
        first, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < first:
            return None
    if first >= size or first >= end:
        raise Refusal(
            "InvalidRange",
            "The requested range is not satisfiable",
            RangeRequested=(header or "")[:100],
            ActualObjectSize=str(size),
        )
    return first, end


def range_of_part(number: int, parts: tuple[int, ...], size: int) -> tuple[int, int]:
    """The bytes of a part of a multipart object; an object that was put whole has one. Raises InvalidPartNumber."""
    sizes = parts or (size,)
    if not 1 <= number <= len(sizes):
        raise Refusal(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            PartNumberRequested=str(number),
            ActualPartCount=str(len(sizes)),
        )
    first = sum(sizes[: number - 1])
    return first, first + sizes[number - 1]


_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})")
