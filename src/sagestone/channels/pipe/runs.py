"""Sends whole objects that are files of this machine, one after the other, where they are not decompressed.

With small objects each step of Python counts: here is a loop around three calls of the kernel (open, splice, close),
which take four fifths of the time; from the second epoch on the first and the last are spared.
"""

import os
from collections.abc import Callable, Iterable, Sequence

from sagestone.channels.elements import Element, Elements, Span, shorter
from sagestone.channels.pipe.held import HeldFiles
from sagestone.channels.pipe.records import of_file, too_long
from sagestone.channels.pipe_end import PipeEnd
from sagestone.channels.recordio import LONGEST_PAYLOAD, header, may_be_split, padding, record
from sagestone.s3.client import S3, SourceObject

_READ_BELOW = 4096  # bytes: smaller ones are copied, as each that the kernel moves takes a page of the pipe
_HELD_UP_TO = 128 * 1024  # bytes: opening a larger one is nothing beside moving it
_WINDOW = 1024 * 1024  # bytes that are looked through at once; a multiple of 4


class FileRun:
    """Sends the objects of a channel as they are; small ones are opened in the first epoch and stay open."""

    def __init__(self, s3: S3, held: HeldFiles) -> None:
        self._s3, self._held = s3, held

    def send(self, places: Sequence[int], objects: Iterable[SourceObject], end: PipeEnd) -> None:
        """Send the objects at these places of the channel's list.

        Raises S3Failure, OSError naming an object that is shorter than it was, ReaderGone.
        """
        splice, close, get = end.splice, os.close, self._held.get
        with self._s3.opener() as open_object:
            for place, found in zip(places, objects, strict=True):
                size = found.size
                held = get(place)
                file = held if held >= 0 else open_object(found)
                if file is None:
                    for piece in self._s3.pieces(found, 0, size):
                        end.write(piece)
                    continue
                try:
                    if size >= _READ_BELOW:
                        splice(file, 0, size)
                    else:
                        end.write(_read(file, size))
                    if held < 0 and size <= _HELD_UP_TO and self._held.hold(place, file):
                        held = file
                except EOFError as error:
                    raise shorter(found) from error
                finally:
                    if held < 0:
                        close(file)


class RecordRun:
    """Sends objects as RecordIO records, and remembers those whose bytes need not be looked through again.

    A record is split where its payload has the magic number, which hardly any has. Objects never change, so from its
    second epoch on the kernel moves one without the magic, and nobody reads it; small ones stay open. `unfiled` makes
    the record of one whose file is encrypted; `count` is how many the channel has.
    """

    def __init__(
        self, s3: S3, channel: str, count: int, unfiled: Callable[[SourceObject], Elements], held: HeldFiles
    ) -> None:
        self._s3, self._channel, self._unfiled, self._held = s3, channel, unfiled, held
        self._is_whole = bytearray(count)  # by place in the channel's list

    def send(self, places: Sequence[int], objects: Iterable[SourceObject], end: PipeEnd) -> None:
        """Send the objects at these places; raises as `FileRun`, and JobFailure (client) for a too long one."""
        write, splice, close, is_whole, get = end.write, end.splice, os.close, self._is_whole, self._held.get
        with self._s3.opener() as open_object:
            for place, found in zip(places, objects, strict=True):
                size = found.size
                if size > LONGEST_PAYLOAD:
                    raise too_long(self._channel, found)
                held = get(place)
                file = held if held >= 0 else open_object(found)
                if file is None:
                    _send(self._unfiled(found), end)
                    continue
                try:
                    if is_whole[place]:
                        write(header(size))
                        splice(file, 0, size)
                        if size & 3:
                            write(padding(size))
                    else:
                        is_whole[place] = _send_record(file, size, end)
                    if held < 0 and size <= _HELD_UP_TO and self._held.hold(place, file):
                        held = file
                except EOFError as error:
                    raise shorter(found) from error
                finally:
                    if held < 0:
                        close(file)


def _send_record(file: int, size: int, end: PipeEnd) -> bool:
    """Send the record of a file; whether it may be sent without a look at its bytes the next time."""
    if size < _READ_BELOW:  # read in any case
        for piece in record(_read(file, size)):
            end.write(piece)
        return False
    if _may_be_split(file, size):
        _send(of_file(file, size), end)
        return False
    end.write(header(size))
    end.splice(file, 0, size)
    end.write(padding(size))
    return True


def _send(elements: Iterable[Element], end: PipeEnd) -> None:
    for element in elements:
        if isinstance(element, Span):
            end.splice(element.file, element.start, element.stop)
        elif isinstance(element, bytes):
            end.write(element)


def _may_be_split(file: int, size: int) -> bool:
    # A magic number that counts lies across no two windows. Asking for more than there is would take fresh memory.
    return any(may_be_split(os.pread(file, min(_WINDOW, size - start), start)) for start in range(0, size, _WINDOW))


def _read(file: int, size: int) -> bytes:
    content = os.pread(file, size, 0)
    if len(content) != size:
        raise EOFError
    return content
