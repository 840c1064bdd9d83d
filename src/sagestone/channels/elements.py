"""What flows from a channel's source to its FIFO, in the order in which a program reads it."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto

from sagestone.channels.pipe_end import PipeEnd
from sagestone.s3.client import SourceObject
from sagestone.s3.uri import S3Uri


@dataclass(frozen=True, slots=True)
class Value:
    """Bytes to send that are known already: an attribute of a manifest's line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Reference:
    """An object to send of which no more is known than its name; `named_by` says where the name stands."""

    uri: S3Uri
    named_by: str


#: One thing to send; in RecordIO one record.
Item = SourceObject | Value | Reference


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of an open file, from `start` to before `stop`. The file is open until the next element is asked for.

    From a source it is a whole item.
    """

    file: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Bytes of one or more whole items, just as they are to be sent."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pour:
    """A whole item that moves itself into an open pipe: `into(descriptor)`."""

    into: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """Many whole items, one after the other, that send themselves; what is raised names the item."""

    send: Callable[[PipeEnd], None]


class Pause(Enum):
    """The next element may take a while: what was given so far is not to be kept back."""

    PAUSE = auto()


PAUSE = Pause.PAUSE
#: An item itself stands before its bytes, which go on up to the next item.
Element = Item | Span | Ready | Pour | Run | bytes | Pause
Elements = Generator[Element, None, None]


def name_of(item: Item | None) -> str:
    """What people call it."""
    return "a value of the manifest" if item is None or isinstance(item, Value) else str(item.uri)


def shorter(item: Item | None) -> OSError:
    """The error for a file that has less bytes than its object."""
    return OSError(f"{name_of(item)} is shorter than it was: the store's directory was changed from outside")
