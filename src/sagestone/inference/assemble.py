"""Joins the answers for one object into its output (TransformOutput.AssembleWith), all or nothing."""

from typing import Literal

from sagestone.inference.spool import Spool
from sagestone.s3.client import Upload

_GATHERED = 256 * 1024


class Output:
    """The `.out` object of one input object while it grows.

    None: the answers as they are, one after the other. Line: each ends with a newline, which is added where it is
    missing (after an empty answer too, so that lines and requests stay side by side).
    """

    def __init__(self, upload: Upload, assemble_with: Literal["None", "Line"]) -> None:
        self._upload, self._lines = upload, assemble_with == "Line"
        self._gathered = bytearray()

    def add(self, answer: Spool) -> None:
        """The next answer, in the order of the input."""
        last = b""
        for piece in answer.pieces():
            self._gathered += piece
            last = piece[-1:]
            self._flush(_GATHERED)
        if self._lines and last != b"\n":
            self._gathered += b"\n"

    def commit(self) -> None:
        """Make the output visible, whole."""
        self._flush(1)
        self._upload.commit()

    def abort(self) -> None:
        """Leave nothing; idempotent."""
        self._upload.abort()

    def _flush(self, least: int) -> None:
        if len(self._gathered) >= least:
            self._upload.write(bytes(self._gathered))
            self._gathered.clear()
