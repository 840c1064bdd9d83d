"""Where records end inside the bytes of an object (TransformInput.SplitType)."""

from typing import Protocol

from sagestone.domain.transform_job import SplitType
from sagestone.inference.framing import Framing, RecordIO, TFRecord


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


def splitter(split_type: SplitType) -> Splitter | Framing:
    """What finds the records of that type."""
    if split_type == "RecordIO":
        return RecordIO()
    if split_type == "TFRecord":
        return TFRecord()
    return Lines() if split_type == "Line" else WholeObject()
