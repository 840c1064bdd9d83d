"""Joins the answers for one object into its output (TransformOutput.AssembleWith), all or nothing."""

from typing import Literal

from sagestone.inference.processing import Results
from sagestone.inference.spool import Spool
from sagestone.s3.client import Upload

_GATHERED = 256 * 1024


class Output:
    """The `.out` object of one input object while it grows.

    None: the answers as they are, one after the other. Line: each ends with a newline, which is added where it is
    missing (after an empty answer too, so that lines and requests stay side by side). `results` is what filters and
    joins the answers, where that was asked for.
    """

    def __init__(self, upload: Upload, assemble_with: Literal["None", "Line"], results: Results | None = None) -> None:
        self._upload, self._lines, self._results = upload, assemble_with == "Line", results
        self._gathered = bytearray()

    def add(self, answer: Spool, records: int | None = None) -> None:
        """The next answer, in the order of the input, for so many records; raises BadRecord."""
        last = b""
        for piece in answer.buffers() if self._results is None else self._results.of(answer.pieces(), records):
            self._gathered += piece
            last = bytes(piece[-1:])
            self._flush(_GATHERED)
        if self._lines and last != b"\n":
            self._gathered += b"\n"

    def commit(self) -> None:
        """Make the output visible, whole; raises BadRecord where answers are missing."""
        if self._results is not None:
            self._results.finish()
            self._results.close()
        self._flush(1)
        self._upload.commit()

    def abort(self) -> None:
        """Leave nothing; idempotent."""
        if self._results is not None:
            self._results.close()
        self._upload.abort()

    def _flush(self, least: int) -> None:
        if len(self._gathered) >= least:
            gathered, self._gathered = self._gathered, bytearray()
            self._upload.write(memoryview(gathered))
