"""What a FUSE server shows: files and directories by their numbers, which may still be growing."""

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from sagestone.channels.fuse.protocol import Attributes
from sagestone.s3.client import SourceObject

#: Whether the program that asked does not wait any more.
GivenUp = Callable[[], bool]


class Refused(Exception):
    """A request is answered with this errno."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class Files(Protocol):
    """The files and directories that are shown, by node number; ROOT is the directory that is mounted.

    Nothing that was said changes later, but for a name that was absent before `is_final`. Any call but `known` and
    those without arguments may take its time, and raises S3Failure for what cannot be had, and Refused.
    """

    @property
    def is_final(self) -> bool: ...

    @property
    def files(self) -> int: ...

    @property
    def size(self) -> int: ...

    def child(self, node: int, name: bytes, given_up: GivenUp) -> int | None: ...

    def entries(self, node: int, offset: int, given_up: GivenUp) -> Sequence[tuple[bytes, int]]:
        """Some entries of a directory from a place on, `.` and `..` first; nothing when all were given."""
        ...

    def attributes(self, node: int) -> Attributes: ...

    def known(self, node: int) -> Attributes | None:
        """The attributes where they can be told at once; a file's may be left out."""
        ...

    def file(self, node: int) -> SourceObject | None: ...
