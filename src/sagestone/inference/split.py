"""Where records end inside the bytes of an object (TransformInput.SplitType)."""

from typing import Protocol

from sagestone.domain.failure import JobFailure
from sagestone.domain.transform_job import SplitType


class Splitter(Protocol):
    """Finds ends of records in a piece of an object; positions are indexes of `data`, an end is one past its last."""

    def first_end(self, data: bytes, start: int, stop: int) -> int:
        """The end of the first record that ends in data[start:stop], or -1."""
        ...

    def last_end(self, data: bytes, start: int, stop: int) -> int:
        """The end of the last record that ends in data[start:stop], or -1."""
        ...

    def count(self, data: bytes, start: int, stop: int) -> int:
        """How many records end in data[start:stop]."""
        ...


class WholeObject:
    """SplitType None: the object is one record; it ends where the object ends."""

    def first_end(self, data: bytes, start: int, stop: int) -> int:
        return -1

    def last_end(self, data: bytes, start: int, stop: int) -> int:
        return -1

    def count(self, data: bytes, start: int, stop: int) -> int:
        return 0


class Lines:
    """SplitType Line: a record ends after its newline, which belongs to it; the last record may lack one."""

    def first_end(self, data: bytes, start: int, stop: int) -> int:
        found = data.find(b"\n", start, stop)
        return found + 1 if found >= 0 else -1

    def last_end(self, data: bytes, start: int, stop: int) -> int:
        found = data.rfind(b"\n", start, stop)
        return found + 1 if found >= 0 else -1

    def count(self, data: bytes, start: int, stop: int) -> int:
        return data.count(b"\n", start, stop)


def splitter(split_type: SplitType) -> Splitter:
    """The splitter of that type; raises JobFailure for the framed types, which this version does not read."""
    if split_type == "None":
        return WholeObject()
    if split_type == "Line":
        return Lines()
    raise JobFailure("client", f"TransformInput.SplitType {split_type} is not supported: use None or Line")
